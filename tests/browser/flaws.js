// What a person would stumble over on a page, in words; nothing if there is nothing.
const flaws = [];

const root = document.scrollingElement ?? document.documentElement;
if (document.body && root.scrollWidth > root.clientWidth) {
  const wide = [...document.body.querySelectorAll("*")].filter(
    (element) => element.getBoundingClientRect().right > root.clientWidth + 0.5
  );
  flaws.push(`it scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}, first ${wide[0]?.outerHTML.slice(0, 120)}`);
}

// A page is one file, and does nothing.
for (const { name } of performance.getEntriesByType("resource")) flaws.push(`it asked for ${name}`);
for (const element of document.querySelectorAll("script, img, link, iframe, object, [src], [onload], [onerror], [onclick]")) {
  flaws.push(`it has ${element.outerHTML.slice(0, 120)}`);
}

const luminance = ([red, green, blue]) => {
  const [r, g, b] = [red, green, blue].map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const parts = (color) => color.match(/[\d.]+/g).map(Number);
const contrast = (one, other) => {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
};

const behind = (element) => {
  for (let above = element; above; above = above.parentElement) {
    const color = parts(getComputedStyle(above).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};

const seen = (element) => {
  const box = element.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && getComputedStyle(element).visibility === "visible";
};

const walker = document.createTreeWalker(document.body ?? document.documentElement, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || element.closest("svg, style, title") || !seen(element)) continue;
  const box = element.closest("td, th, dd, p, li, h1, h3, .way");
  if (box && element.getBoundingClientRect().right > box.getBoundingClientRect().right + 1) {
    flaws.push(`text leaves its box: ${walker.currentNode.data.trim().slice(0, 60)}`);
  }
  const style = getComputedStyle(element);
  const found = contrast(parts(style.color), behind(element));
  if (found < 4.5) flaws.push(`contrast of ${found.toFixed(2)}: ${walker.currentNode.data.trim().slice(0, 40)}`);
  if (parseFloat(style.fontSize) < 10.5 && !matchMedia("print").matches) flaws.push(`tiny: ${walker.currentNode.data.trim().slice(0, 40)}`);
}

for (const text of document.querySelectorAll("svg text")) {
  const box = text.getBBox();
  const around = [...text.ownerSVGElement.querySelectorAll("rect:not(.paper)")].filter((rect) => {
    const frame = rect.getBBox();
    return box.y >= frame.y && box.y + box.height <= frame.y + frame.height && box.x >= frame.x && box.x <= frame.x + frame.width;
  });
  const card = around.at(-1);
  if (!card) {
    if (text.ownerSVGElement.querySelector(".host")) flaws.push(`text on no card: ${text.textContent}`);
    continue;
  }
  const frame = card.getBBox();
  if (box.x + box.width > frame.x + frame.width) flaws.push(`text leaves its card: ${text.textContent}`);
  const found = contrast(parts(getComputedStyle(text).fill), parts(getComputedStyle(card).fill));
  if (found < 4.5) flaws.push(`contrast of ${found.toFixed(2)} in the picture: ${text.textContent}`);
}
const lines = [...document.querySelectorAll("svg text")].map((text) => [text, text.getBBox()]);
lines.forEach(([one, a], place) => {
  for (const [other, b] of lines.slice(place + 1)) {
    const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y + 1 || b.y + b.height <= a.y + 1;
    if (one.ownerSVGElement === other.ownerSVGElement && !apart) flaws.push(`texts cover each other: ${one.textContent} / ${other.textContent}`);
  }
});

return flaws;
