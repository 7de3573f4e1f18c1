import { BlockList } from 'node:net';
import { describe, expect, test } from 'vitest';
import { AddressGuard, AddressRefused } from './address-guard.ts';

const strict = new AddressGuard(new BlockList());

describe('an upstream', () => {
  test.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
    '168.63.129.16',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    '64:ff9b::169.254.169.254',
    'fe80::1',
    'fe80::1%eth0',
    'ff02::1',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd00:c1::a9fe:a9fe',
    'fd20:ce::254',
  ])('is not called at %s', (address) => {
    expect(strict.allows(address)).toBe(false);
  });

  test.each([
    '10.0.0.1',
    '192.168.1.1',
    '93.184.216.34',
    '2001:db8::1',
    'fd00::1',
    '64:ff9b::a00:1',
  ])('is called at %s', (address) => {
    expect(strict.allows(address)).toBe(true);
  });

  test('is called where the operator permits it, and only there', () => {
    const permitted = new BlockList();
    permitted.addSubnet('127.0.0.0', 8, 'ipv4');
    const guard = new AddressGuard(permitted);
    expect(['127.0.0.1', '169.254.0.1', '::1'].map((one) => guard.allows(one))).toEqual([
      true,
      false,
      false,
    ]);
  });

  test('may be named by an address in brackets', () => {
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:7f00:1]']) {
      expect(() => strict.checkLiteral(host)).toThrow(AddressRefused);
    }
    for (const host of ['10.0.0.1', '[2001:db8::1]', 'localhost']) strict.checkLiteral(host);
  });
});

describe('a name', () => {
  const found = (guard: AddressGuard, all: boolean): Promise<unknown> =>
    new Promise((resolve) =>
      guard.lookup('localhost', { all, family: 4 }, (error, address, family) =>
        resolve(error ?? (all ? address : [address, family])),
      ),
    );

  test('is refused for what it means', async () => {
    const error = await found(strict, true);
    expect(error).toBeInstanceOf(AddressRefused);
    expect((error as Error).message).toContain('--upstream-allow');
  });

  test('that is permitted is answered in the form that is asked for', async () => {
    const permitted = new BlockList();
    permitted.addAddress('127.0.0.1');
    const guard = new AddressGuard(permitted);
    expect(await found(guard, true)).toContainEqual({ address: '127.0.0.1', family: 4 });
    expect(await found(guard, false)).toEqual(['127.0.0.1', 4]);
  });
});
