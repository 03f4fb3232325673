// WCAG's contrast of what a page shows with what is behind it.
// https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio

// Returns the least contrast of the texts within `selector`, and which text has it. WCAG AA wants 4.5.
export const measureTexts = (page, selector) => measure(page, selector, 'text');

// Returns the least contrast of the fills of drawings and of the borders of controls. WCAG AA wants 3.
export const measureShapes = (page, selector) => measure(page, selector, 'shape');

const measure = (page, selector, what) =>
  page.evaluate(
    ([root, kind]) => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
      const luminance = (colours) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of colours) {
          canvas.fillStyle = colour;
          canvas.fillRect(0, 0, 1, 1);
        }
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((value) => {
          const share = value / 255;
          return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      // The canvas of a page without a background of its own follows its colour scheme
      const canvasColour = matchMedia('(prefers-color-scheme: dark)').matches ? 'black' : 'white';
      const behind = (element) => {
        const colours = [];
        for (let each = element; each; each = each.parentElement) colours.unshift(getComputedStyle(each).backgroundColor);
        return [canvasColour, ...colours];
      };
      const isShown = (element) => element.checkVisibility({ visibilityProperty: true }) && element.getClientRects().length;
      const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
      const found = [];
      const add = (element, colour, back) => {
        const [one, other] = [luminance(back), luminance([...back, colour])];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        found.push([ratio, `${element.tagName}.${element.getAttribute('class')} ${element.textContent.slice(0, 40)}`]);
      };
      for (const element of document.querySelectorAll(`${root} *`)) {
        const style = getComputedStyle(element);
        const isDrawn = element instanceof SVGElement;
        if (!isShown(element) || element instanceof SVGTitleElement) continue;
        if (kind === 'text') {
          if (hasText(element)) add(element, isDrawn ? style.fill : style.color, behind(element));
          // What a style sheet writes, such as the labels of a table on a narrow screen
          const before = getComputedStyle(element, '::before');
          if (!['none', '""'].includes(before.content)) add(element, before.color, behind(element));
        } else if (element.matches('svg .value, svg .mark')) {
          add(element, style.fill, behind(element));
        } else if (element.matches('input:not([type=radio]), select, button')) {
          add(element, style.borderTopColor, behind(element.parentElement));
        }
      }
      const [least, where] = found.sort(([one], [other]) => one - other)[0];
      return { least, where, count: found.length };
    },
    [selector, what],
  );
