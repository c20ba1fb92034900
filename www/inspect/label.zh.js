/** @type {Record<string, string>} */
export const labelZh = {
  "label.bits": "{x} 比特",
};
