"use strict";
// The slider along a score direction and the contrast dial: they show stored numbers and compute none.
{
  const data = JSON.parse(document.getElementById("slider-data").textContent);
  const byId = name => document.getElementById(name);
  const digits = value => value.toFixed(3).replace("-", "\u2212");
  const svg = (name, attributes, text = "") => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.textContent = text;
    return made;
  };

  const LEFT = 44, RIGHT = 292, TOP = 12, BOTTOM = 172;
  const sizes = data.magnitudes, middle = (sizes.length - 1) / 2, reach = sizes.at(-1);
  const across = size => LEFT + (RIGHT - LEFT) * (size + reach) / (2 * reach);
  const losses = ["label", "reconstruction"];
  const spans = Object.fromEntries(losses.map(loss => {
    const all = data.directions.flatMap(one => [...one[loss], ...one[`${loss}_law`]]);
    const low = Math.min(...all), high = Math.max(...all), margin = 0.06 * (high - low);
    return [loss, [Math.max(0, low - margin), high + margin]];
  }));
  const up = (loss, value) => BOTTOM - (BOTTOM - TOP) * (value - spans[loss][0]) / (spans[loss][1] - spans[loss][0]);
  const chart = loss => document.querySelector(`.curve.${loss} svg`);

  function frame(loss) {
    const grid = chart(loss).querySelector(".grid"), [low, high] = spans[loss];
    const step = [0.05, 0.1, 0.2, 0.25, 0.5, 1].find(each => (high - low) / each <= 5) ?? 2;
    for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
      const y = up(loss, value);
      grid.append(svg("line", {x1: LEFT, x2: RIGHT, y1: y, y2: y}));
      grid.append(svg("text", {x: LEFT - 6, y: y + 4, "text-anchor": "end"}, value.toFixed(step < 0.1 ? 2 : step === 0.25 ? 2 : 1)));
    }
    for (const size of [-reach, 0, reach])
      grid.append(svg("text", {x: across(size), y: BOTTOM + 20, "text-anchor": size < 0 ? "start" : size ? "end" : "middle"},
        `${size}`.replace("-", "\u2212")));
    grid.append(svg("line", {class: "zero", x1: across(0), x2: across(0), y1: TOP, y2: BOTTOM}));
  }

  const weights = data.directions.map(one => Uint8Array.from(atob(one.attention), sign => sign.charCodeAt(0)));
  const stops = data.colors.map(color => [1, 3, 5].map(at => parseInt(color.slice(at, at + 2), 16)));
  const shade = byte => {
    const at = byte / 255 * (stops.length - 1), below = Math.min(Math.floor(at), stops.length - 2);
    return stops[below].map((value, part) => value + (at - below) * (stops[below + 1][part] - value));
  };
  function paint(direction, place) {
    const canvas = byId("matrix"), pen = canvas.getContext("2d"), count = data.length ** 2;
    const picture = pen.createImageData(data.length, data.length);
    for (let cell = 0; cell < count; cell++)
      picture.data.set([...shade(weights[direction][place * count + cell]), 255], 4 * cell);
    pen.putImageData(picture, 0, 0);
    const bytes = weights[direction].subarray(place * count, (place + 1) * count);
    const share = value => value >= 255 ? "0.5 or more" : (value / 510).toFixed(2);
    byId("matrix").setAttribute("aria-label", `Attention matrix of ${data.length} queries and keys, ` +
      `weights from ${share(Math.min(...bytes))} to ${share(Math.max(...bytes))}`);
  }

  const change = (loss, one, place) => {
    const now = one[loss][place], start = one[loss][middle], name = loss === "label" ? "Label loss" : "Reconstruction loss";
    const how = digits(now) === digits(start) ? place === middle ? "at uniform attention" : "unchanged"
      : `${now < start ? "down" : "up"} from ${digits(start)}`;
    return `${name} ${digits(now)}, ${how}.`;
  };
  function show() {
    const direction = +document.querySelector("input[name=direction]:checked").value;
    const place = +byId("size").value, one = data.directions[direction], size = sizes[place];
    const shown = size.toFixed(1).replace("-", "\u2212");
    byId("explained").textContent = one.told;
    byId("end-low").textContent = one.ends[0];
    byId("end-high").textContent = one.ends[1];
    byId("size").setAttribute("aria-valuetext", `${one.title}, ${shown} of ${reach}`);
    for (const loss of losses) {
      const picture = chart(loss), line = values => values.map((value, at) => `${across(sizes[at])},${up(loss, value)}`).join(" ");
      picture.querySelector(".law").setAttribute("points", line(one[`${loss}_law`]));
      picture.querySelector(".measured").setAttribute("points", line(one[loss]));
      const now = picture.querySelector(".now"), mark = picture.querySelector("circle");
      now.setAttribute("x1", across(size));
      now.setAttribute("x2", across(size));
      mark.setAttribute("cx", across(size));
      mark.setAttribute("cy", up(loss, one[loss][place]));
      document.querySelector(`.curve.${loss} .value`).textContent = digits(one[loss][place]);
      picture.setAttribute("aria-label", change(loss, one, place));
    }
    paint(direction, place);
    byId("said").textContent = `${losses.map(loss => change(loss, one, place)).join(" ")}`;
  }

  const amount = value => value === null ? "no number suffices" :
    value < 10 ? value.toFixed(1) : Math.round(Number(value.toPrecision(3))).toLocaleString("en-US");
  function turn() {
    const {contrast, kappa, label, reconstruction, middle: rho} = data.dial, at = +byId("contrast").value;
    const largest = Math.log10(Math.max(...label.filter(Number.isFinite)));
    for (const [name, value] of [["label", label[at]], ["reconstruction", reconstruction[at]]]) {
      const bar = document.querySelector(`.bar.${name}`);
      bar.style.inlineSize = value === null ? "100%" : `${Math.max(2, 92 * Math.log10(value) / largest)}%`;
      bar.classList.toggle("endless", value === null);
      byId(`dial-${name}`).textContent = value === null ? "\u221e" : amount(value);
    }
    const classes = `Classes with \u03c1 = ${(rho - contrast[at]).toFixed(2)} and ${(rho + contrast[at]).toFixed(2)}, contrast \u03ba = ${kappa[at].toFixed(2).replace("-", "\u2212")}`;
    byId("contrast").setAttribute("aria-valuetext", `contrast ${kappa[at].toFixed(2)}`);
    byId("dial-said").textContent = label[at] === null
      ? `${classes}: the classes agree, labels never learn; reconstruction needs ${amount(reconstruction[at])} sequences.`
      : `${classes}: labels need ${amount(label[at])} sequences, ${amount(label[at] / reconstruction[at])} times ` +
        `reconstruction\u2019s ${amount(reconstruction[at])}.`;
  }

  const pixels = data.image && Uint8Array.from(atob(data.image.attention), sign => sign.charCodeAt(0));
  function turnPixel() {
    const {side, magnitudes, reconstruction} = data.image, place = +byId("image-size").value;
    const canvas = byId("image-matrix"), pen = canvas.getContext("2d"), count = side ** 2;
    const picture = pen.createImageData(side, side);
    for (let cell = 0; cell < count; cell++) picture.data.set([...shade(pixels[place * count + cell]), 255], 4 * cell);
    pen.putImageData(picture, 0, 0);
    const share = value => `${(100 * value).toFixed(1)} %`, right = share(data.image.beside[place]), below = share(data.image.below[place]);
    canvas.setAttribute("aria-label", `Attention of the middle pixel: ${right} to the right, ${below} below`);
    byId("image-size").setAttribute("aria-valuetext", `${magnitudes[place].toFixed(1)} of ${magnitudes.at(-1)}`);
    const start = digits(reconstruction[0]), now = digits(reconstruction[place]);
    byId("image-said").textContent = `${right} to the pixel on the right, ${below} to the one below. Reconstruction loss ` +
      `${now}${now === start ? ", at uniform attention" : `, down from ${start}`}. Every pixel still receives ` +
      `${(100 / count).toFixed(1)} %, so labels cannot tell.`;
  }

  losses.forEach(frame);
  byId("mover").hidden = false;
  document.querySelector("#slider .static").hidden = true;
  byId("mover").addEventListener("input", show);
  show();
  if (byId("image-mover")) {
    byId("image-mover").hidden = false;
    byId("image-mover").addEventListener("input", turnPixel);
    turnPixel();
  }
  if (byId("dial")) {
    byId("dial").hidden = false;
    byId("dial").addEventListener("input", turn);
    turn();
  }
}
