"""What is measured on a page: contrast, sizes, and text that is cut off. JavaScript for `page.evaluate`."""

# 20 mm on a 43 inch screen: 16:9 makes it 952 mm wide, of 1920 pixels.
PIXELS_OF_20_MM = 20 * 1920 / 952
# What is read from 3 m.
NUMBERS_TIMERS_STATES = [".slot", ".ticket__id", ".timer [data-age]", ".state", ".due", ".item__quantity"]

# WCAG 2 contrast of each visible text with the first opaque surface under it: [[ratio, text, class], …], worst first.
CONTRAST = """() => {
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
    return { rgb: [r, g, b], a };
  };
  const over = (top, below) => top.rgb.map((value, index) => value * top.a + below[index] * (1 - top.a));
  const surface = (element) => {
    const layers = [];
    for (let node = element; node; node = node.parentElement) {
      const layer = parse(getComputedStyle(node).backgroundColor);
      layers.push(layer);
      if (layer.a === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [0, 0, 0]);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility({ visibilityProperty: true }) || element.closest(".unseen, script, template, button:disabled")) continue;
    const below = surface(element);
    const colour = parse(getComputedStyle(element).color);
    const [light, dark] = [luminance(over(colour, below)), luminance(below)].sort((a, b) => b - a);
    found.push([Math.round(((light + 0.05) / (dark + 0.05)) * 100) / 100, text.slice(0, 40), element.className.toString()]);
  }
  return found.sort((a, b) => a[0] - b[0]);
}"""

# Boxes of everything that can be touched: [[width, height, what], …].
TARGETS = """() => [...document.querySelectorAll("button, a[href], input, select")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest(".measure"))
  .map((element) => {
    const box = element.getBoundingClientRect();
    return [box.width, box.height, `${element.className} ${element.textContent.trim().slice(0, 20)}`];
  })"""

# Parts of tickets whose content is larger than they are, that reach out of their ticket, the grid or the window, or that lie
# over another ticket.
CUT = """() => {
  const grid = document.querySelector(".grid");
  const frame = grid.getBoundingClientRect();
  const bad = [];
  const outside = (box, of) => box.top < of.top - 1 || box.left < of.left - 1 || box.bottom > of.bottom + 1 || box.right > of.right + 1;
  for (const part of grid.querySelectorAll(".ticket, .ticket *:not(svg, svg *, .unseen, form, form *)")) {
    const inline = getComputedStyle(part).display === "inline";
    if (!inline && part.clientHeight && part.scrollHeight > part.clientHeight + 1) bad.push(["tall", part.className, part.scrollHeight, part.clientHeight]);
    if (!inline && part.clientWidth && part.scrollWidth > part.clientWidth + 1) bad.push(["wide", part.className, part.scrollWidth, part.clientWidth]);
    const ticket = part.closest(".ticket").getBoundingClientRect();
    for (const box of part.getClientRects()) if (outside(box, ticket)) bad.push(["reaches out", part.className, part.textContent.slice(0, 30)]);
  }
  const scrolls = grid.classList.contains("grid--scroll") || innerWidth <= 700;
  const boxes = [...grid.querySelectorAll(":scope > .ticket")].map((ticket) => ticket.getBoundingClientRect());
  for (const [index, box] of boxes.entries()) {
    if (!scrolls && (outside(box, frame) || outside(box, { top: 0, left: 0, bottom: innerHeight, right: innerWidth }))) bad.push(["outside", index, box.bottom, frame.bottom]);
    for (const other of boxes.slice(index + 1)) {
      if (box.left < other.right - 1 && other.left < box.right - 1 && box.top < other.bottom - 1 && other.top < box.bottom - 1) bad.push(["overlap", index]);
    }
  }
  return bad;
}"""

# The smallest type of each of these: numbers, timers, states.
LEAST_TYPE = """(selectors) => Object.fromEntries(selectors.map((selector) => [selector,
  Math.min(...[...document.querySelectorAll(`.grid ${selector}`)].map((element) => parseFloat(getComputedStyle(element).fontSize)))]))"""

# All that a page holds of an order, over its parts.
WHOLE_TEXT = "(order) => [...document.querySelectorAll(`.grid .ticket[data-order='${order}']`)].map((part) => part.innerText).join('\\n')"

# The parts of tickets on this page, in reading order: [[order, PLUs of its items here, what turns or bumps], …].
PARTS = """() => [...document.querySelectorAll(".grid > .ticket")].map((ticket) => [
  ticket.dataset.order,
  [...ticket.querySelectorAll(".item")].map((item) => item.dataset.plu),
  ticket.querySelector(".foot, .ticket__turn")?.textContent.trim() ?? "",
])"""

# The smallest type of any text that can be seen on a ticket.
LEAST_TEXT = """() => {
  const walker = document.createTreeWalker(document.querySelector(".grid"), NodeFilter.SHOW_TEXT);
  let least = Infinity;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || element.closest(".unseen, form")) continue;
    least = Math.min(least, parseFloat(getComputedStyle(element).fontSize));
  }
  return least;
}"""

# Texts outside the tickets that are cut, or that stand (partly) beside the window.
SPILLED = """() => {
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const element = node.parentElement;
    if (!node.textContent.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
    // The rail shows as many as it has room for; its button says how many there are.
    if (element.closest(".grid, .measure, .unseen, option, script, noscript, .later__list")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.left < -1 || box.right > innerWidth + 1) bad.push(["beside the window", element.className, node.textContent.trim()]);
      for (let above = element; above; above = above.parentElement) {
        const style = getComputedStyle(above);
        if (style.overflowX === "visible" || style.display === "inline") continue;
        const frame = above.getBoundingClientRect();
        if (box.left < frame.left - 1 || box.right > frame.right + 1) bad.push(["cut", above.className, node.textContent.trim()]);
      }
    }
  }
  return bad;
}"""
