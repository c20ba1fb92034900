/**
 * Where the page's own files lie. This is the only module that finds them by its own place: a bundle may put all others
 * elsewhere.
 * @param {string} path below `www/`, such as "models/index.json"
 */
export const asset = (path) => new URL(`../${path}`, import.meta.url);
