/** @type {Record<string, string>} */
export const labelEn = {
  "label.nats": "{x} nats",
  "label.bits": "{x} bits",
};
