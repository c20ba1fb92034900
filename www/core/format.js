/**
 * A number of bytes in decimal units, as download sizes are usually given: "4.1 MB".
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && value < 9.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/**
 * A count as people say it: 124M, 1.6B.
 * @param {number} n
 */
export function formatCount(n) {
  for (const [size, suffix] of /** @type {const} */ ([
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ])) {
    if (n >= size * 0.9995) return `${(n / size).toFixed(n / size < 9.95 ? 1 : 0)}${suffix}`;
  }
  return String(n);
}

/**
 * Tokens per second with as many digits as mean something.
 * @param {number} rate
 */
export function formatRate(rate) {
  return rate >= 10 ? rate.toFixed(0) : rate.toFixed(1);
}
