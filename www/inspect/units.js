/** Heads and MLPs, the units that can be switched off. Pure functions. */

/**
 * How many heads and MLPs of a model are off. What is off in a link may belong to another model.
 * @param {readonly import("./types.js").Unit[]} off @param {{ nLayer: number, nHead: number }} info
 */
export function unitsOff(off, { nLayer, nHead }) {
  const mine = off.filter(({ layer, head }) => layer < nLayer && head < nHead);
  const heads = mine.filter(({ head }) => head >= 0).length;
  return { heads, mlps: mine.length - heads };
}
