/** @type {Record<string, string>} */
export const labelZh = {
  "label.nats": "{x} 奈特",
  "label.bits": "{x} 比特",
};
