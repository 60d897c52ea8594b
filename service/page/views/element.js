// Making elements; whatever is said in them is text, and never markup.

/** An element. `vars` are CSS variables; what an element has no property for is an attribute. */
export function h(tag, { vars = {}, ...properties } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  for (const [name, value] of Object.entries(vars)) element.style.setProperty(`--${name}`, value);
  element.append(...children);
  return element;
}

export const byId = (id) => document.getElementById(id);

/** A probability as people read it. */
export function percent(probability) {
  const value = 100 * probability;
  if (value > 0 && value < 0.001) return "< 0.001 %";
  return `${value.toLocaleString("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 })} %`;
}

/** A count as people read it: 22.7 M. */
export function short(count) {
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(count);
}
