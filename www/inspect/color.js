/** Colours as numbers: viridis for "how much", orange and blue for "less" and "more". Free of the DOM. */

/** @typedef {[number, number, number]} Rgb red, green and blue from 0 to 255 */

/**
 * Viridis (Smith and van der Walt, 2015) at nine even steps; between them straight lines are within what an eye sees.
 * @type {readonly Rgb[]}
 */
const VIRIDIS = [
  [68, 1, 84],
  [71, 45, 123],
  [59, 82, 139],
  [44, 114, 142],
  [33, 145, 140],
  [40, 174, 128],
  [94, 201, 98],
  [173, 220, 48],
  [253, 231, 37],
];
/** From "less" over "the same" to "more", even in lightness on both sides. @type {readonly Rgb[]} */
const DIVERGING = [
  [179, 88, 6],
  [236, 150, 62],
  [250, 208, 157],
  [243, 242, 239],
  [173, 207, 233],
  [92, 150, 205],
  [33, 92, 168],
];
/** The same on a dark page: what does not matter is dark too, and what matters shines. @type {readonly Rgb[]} */
const DIVERGING_DARK = [
  [250, 178, 92],
  [196, 118, 38],
  [116, 73, 33],
  [54, 55, 60],
  [42, 84, 128],
  [64, 128, 196],
  [136, 196, 250],
];

/** @param {readonly Rgb[]} stops @param {number} x from 0 to 1 @returns {Rgb} */
function between(stops, x) {
  const at = Math.min(1, Math.max(0, Number.isFinite(x) ? x : 0)) * (stops.length - 1);
  const below = Math.min(stops.length - 2, Math.floor(at));
  const share = at - below;
  const [from, to] = [stops[below], stops[below + 1]];
  const mix = (/** @type {0 | 1 | 2} */ channel) => Math.round(from[channel] + share * (to[channel] - from[channel]));
  return [mix(0), mix(1), mix(2)];
}

/** @param {Rgb} rgb */
function css([red, green, blue]) {
  return `rgb(${red}, ${green}, ${blue})`;
}

/**
 * How much: dark violet for 0, yellow for 1. What lies outside is brought to the nearer end; what is no number counts
 * as 0.
 * @param {number} x from 0 to 1
 * @returns {Rgb}
 */
export function viridis(x) {
  return between(VIRIDIS, x);
}

/** @param {number} x from 0 to 1 */
export function viridisCss(x) {
  return css(viridis(x));
}

/**
 * Less or more: orange for -1, blue for 1, and for 0 what the eye passes over: near white on a light page, near black
 * on a dark
 * one. Text on it takes `inkOn`.
 * @param {number} x from -1 to 1; what is no number counts as 0
 * @param {boolean} [dark] for a dark page
 * @returns {Rgb}
 */
export function diverging(x, dark = false) {
  return between(dark ? DIVERGING_DARK : DIVERGING, Number.isFinite(x) ? (x + 1) / 2 : 0.5);
}

/** @param {number} x from -1 to 1 @param {boolean} [dark] */
export function divergingCss(x, dark = false) {
  return css(diverging(x, dark));
}

/**
 * Relative luminance as WCAG 2 defines it.
 * @param {readonly [number, number, number]} rgb
 */
export function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/**
 * The ink that reads better on a colour. One of the two always reaches a contrast of 4.5.
 * @param {readonly [number, number, number]} rgb
 * @returns {"#000" | "#fff"}
 */
export function inkOn(rgb) {
  // Contrast with black equals that with white at this luminance.
  return luminance(rgb) > 0.179 ? "#000" : "#fff";
}
