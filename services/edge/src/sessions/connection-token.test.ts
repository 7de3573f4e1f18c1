import { AccessKeys } from '@trunkline/tokens';
import { describe, expect, test } from 'vitest';
import { mintConnectionToken, verifyConnectionToken } from './connection-token.ts';

const keys = new AccessKeys(['first key', 'second key']);
const grant = { id: 'ABCDabcd0123abc-_xyz', hub: 'chat', userId: 'ann', connectBy: 1_700_000_015 };
const token = mintConnectionToken(grant, keys.first);

describe('a connection token', () => {
  test('gives back what it was made of', () => {
    expect(verifyConnectionToken(token, 'chat', 'ann', keys)).toEqual(grant);
  });

  test('is short and url-safe', () => {
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{22}$/);
    expect(token.length).toBeLessThan(64);
  });

  test('is good by every configured key, and by no other', () => {
    const bySecond = mintConnectionToken(grant, keys.all.at(1)!);
    expect(verifyConnectionToken(bySecond, 'chat', 'ann', keys)).toEqual(grant);
    const others = new AccessKeys(['another key']);
    expect(verifyConnectionToken(token, 'chat', 'ann', others)).toBeUndefined();
  });

  test('is worth nothing to another hub or user', () => {
    expect(verifyConnectionToken(token, 'chat2', 'ann', keys)).toBeUndefined();
    expect(verifyConnectionToken(token, 'chat', 'ben', keys)).toBeUndefined();
    expect(verifyConnectionToken(token, 'chat', undefined, keys)).toBeUndefined();
    expect(verifyConnectionToken(token, 'chat', '', keys)).toBeUndefined();
  });

  test('tells no user from one with an empty name', () => {
    const anonymous = { ...grant, userId: undefined };
    const minted = mintConnectionToken(anonymous, keys.first);
    expect(verifyConnectionToken(minted, 'chat', undefined, keys)).toEqual(anonymous);
    expect(verifyConnectionToken(minted, 'chat', '', keys)).toBeUndefined();
    expect(verifyConnectionToken(minted, 'chat', 'null', keys)).toBeUndefined();
  });

  test('is refused with any character changed, added or taken away', () => {
    for (let at = 0; at < token.length; at++) {
      const other = token[at] === 'A' ? 'B' : 'A';
      const changed = token.slice(0, at) + other + token.slice(at + 1);
      const shorter = token.slice(0, at) + token.slice(at + 1);
      const longer = token.slice(0, at) + other + token.slice(at);
      for (const wrong of [changed, shorter, longer, `${token}.`, `.${token}`]) {
        expect(verifyConnectionToken(wrong, 'chat', 'ann', keys)).toBeUndefined();
      }
    }
  });

  test('is refused with its time written in another way', () => {
    const [id, time = '', signature] = token.split('.');
    for (const same of [`0${time}`, `+${time}`, ` ${time}`, `${time}!`, time.toUpperCase()]) {
      expect(
        verifyConnectionToken(`${id}.${same}.${signature}`, 'chat', 'ann', keys),
      ).toBeUndefined();
    }
  });

  test.each(['', '.', '..', '...', 'é'.repeat(30), `a.b.${'é'.repeat(22)}`, `.${'.a'.repeat(30)}`])(
    'is not %j',
    (text) => {
      expect(verifyConnectionToken(text, 'chat', 'ann', keys)).toBeUndefined();
    },
  );
});
