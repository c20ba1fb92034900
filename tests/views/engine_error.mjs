// @ts-check
// What the engine throws.

/** @typedef {import("../../www/engine/types.js").Said} Said */

/** @param {string} text @param {string} [code] @param {Said["params"]} [params] @returns {Said} */
export const said = (text, code = "uncoded", params = {}) => ({ code, text, params });

/** @param {string} text @param {string} [code] @param {Said["params"]} [params] */
export const engineError = (text, code, params) => Object.assign(new Error(text), { said: said(text, code, params) });
