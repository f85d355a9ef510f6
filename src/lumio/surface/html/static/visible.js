/** Shows unseen signs (control, bidirectional, format) as escapes, as format.py does on the server. */
const HIDDEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const NAMED = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

export function visible(text) {
  return String(text ?? "").replace(HIDDEN, (sign) => {
    if (NAMED[sign]) return NAMED[sign];
    const point = sign.codePointAt(0), hex = point.toString(16);
    if (point <= 0xff) return `\\x${hex.padStart(2, "0")}`;
    return point <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  });
}
