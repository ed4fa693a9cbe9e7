"use strict";
// Claims open by address, all at once and for print; colours are chosen and remembered.
{
  const claims = [...document.querySelectorAll("details.claim")];
  const expand = document.getElementById("expand");
  const scheme = document.getElementById("scheme");

  const opened = () => {
    const all = claims.length > 0 && claims.every(claim => claim.open);
    expand.setAttribute("aria-pressed", String(all));
    expand.textContent = all ? "Close all claims" : "Open all claims";
  };
  const follow = () => {
    let name = "";
    try { name = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const target = name && document.getElementById(name);
    if (!target) return;
    let inside = target.closest("details");
    if (!inside) return;
    for (; inside; inside = inside.parentElement.closest("details")) inside.open = true;
    target.scrollIntoView();
  };
  // On a phone the contents wait folded; beside the text they stand open.
  const narrow = matchMedia("(max-width: 36rem)");
  const fold = () => { document.getElementById("contents").open = !narrow.matches; };
  narrow.addEventListener("change", fold);
  fold();
  // Only what overflows is a stop of the tab key; it fades out on the right while more is to come there.
  const reachable = box => {
    box.tabIndex = box.scrollWidth > box.clientWidth + 1 ? 0 : -1;
    box.classList.toggle("more", box.scrollLeft + box.clientWidth + 1 < box.scrollWidth);
  };
  const reach = inside => inside.querySelectorAll(".scroll").forEach(reachable);

  document.querySelector(".controls").hidden = false;
  expand.addEventListener("click", () => {
    const open = expand.getAttribute("aria-pressed") !== "true";
    for (const claim of claims) claim.open = open;
  });
  for (const details of document.querySelectorAll("details"))
    details.addEventListener("toggle", () => { opened(); reach(details); });
  scheme.value = document.documentElement.dataset.scheme ?? "";
  scheme.addEventListener("change", () => {
    if (scheme.value) document.documentElement.dataset.scheme = scheme.value;
    else delete document.documentElement.dataset.scheme;
    try {
      if (scheme.value) localStorage.setItem("sptlab-scheme", scheme.value);
      else localStorage.removeItem("sptlab-scheme");
    } catch { /* it lasts as long as the page */ }
  });
  window.addEventListener("hashchange", follow);
  window.addEventListener("resize", () => reach(document));
  document.addEventListener("scroll", event => { if (event.target.matches?.(".scroll")) reachable(event.target); }, true);
  document.addEventListener("click", event => {  // the same address twice is no hashchange
    const link = event.target.closest('a[href^="#"]');
    if (link && link.getAttribute("href") === location.hash) follow();
  });
  reach(document);
  follow();
}
