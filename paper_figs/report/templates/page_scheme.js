// Before anything is drawn: the colours that were chosen here before. Storage may be refused for files.
try {
  const scheme = localStorage.getItem("sptlab-scheme");
  if (scheme === "light" || scheme === "dark") document.documentElement.dataset.scheme = scheme;
} catch { /* as the system */ }
