/** A frame from the hex of its body, spaces aside; its length prefix is put before it. */
export function frame(bodyHex: string): Buffer {
  const body = Buffer.from(bodyHex.replaceAll(' ', ''), 'hex');
  if (body.length > 0x7f) throw new RangeError('a body of one length byte only');
  return Buffer.concat([Buffer.of(body.length), body]);
}

/** `length | body` as the reference writes it, as plain hex. */
export function digits(text: string): string {
  return text.replaceAll(/[ |]/g, '');
}
