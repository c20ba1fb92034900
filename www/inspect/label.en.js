/** @type {Record<string, string>} */
export const labelEn = {
  "label.bits": "{x} bits",
};
