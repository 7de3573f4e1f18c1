import { BlockList, isIP } from 'node:net';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/**
 * Addresses that no upstream is called at unless that is permitted: this machine, links, and the
 * services by which clouds tell a machine its secrets. IPv4 ones, and the same behind NAT64.
 */
const REFUSED_IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
  // Metadata of Alibaba Cloud, and the host of an Azure machine.
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
];
const REFUSED_IPV6: readonly (readonly [network: string, prefix: number])[] = [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
  // Metadata and credentials of Amazon, and metadata of Oracle and of Google.
  ['fd00:ec2::', 32],
  ['fd00:c1::a9fe:a9fe', 128],
  ['fd20:ce::254', 128],
];
const NAT64_BITS = 96;

/** An upstream's address may not be called. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
}

/** Says which addresses may be called: those that the operator permits, and all that are not refused. */
export class AddressGuard {
  readonly #permitted: BlockList;
  readonly #refused = new BlockList();

  constructor(permitted: BlockList) {
    this.#permitted = permitted;
    for (const [network, prefix] of REFUSED_IPV4) {
      this.#refused.addSubnet(network, prefix, 'ipv4');
      this.#refused.addSubnet(`64:ff9b::${network}`, NAT64_BITS + prefix, 'ipv6');
    }
    for (const [network, prefix] of REFUSED_IPV6) {
      this.#refused.addSubnet(network, prefix, 'ipv6');
    }
  }

  allows(address: string): boolean {
    // An address of a link names its interface behind it: fe80::1%eth0.
    const [bare = ''] = address.split('%');
    const family = isIP(bare) === 6 ? 'ipv6' : 'ipv4';
    return this.#permitted.check(bare, family) || !this.#refused.check(bare, family);
  }

  /** A host that is an address itself is never looked up. `host`: as in a URL. */
  checkLiteral(host: string): void {
    const bare = host.replace(/^\[(.*)\]$/, '$1');
    if (isIP(bare) !== 0 && !this.allows(bare)) throw refused(host);
  }

  /**
   * Looks a name up as sockets do, and leaves out what may not be called: whatever a name means at that
   * moment, no socket is opened to another address than those that were looked at.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true } as LookupOptions & { all: true }, (error, found) => {
      if (error !== null) return callback(error, []);
      const allowed = found.filter(({ address }) => this.allows(address));
      if (found.length > 0 && allowed.length === 0) return callback(refused(hostname), []);
      return answer(allowed, options, callback);
    });
  };
}

function answer(
  addresses: LookupAddress[],
  options: LookupOptions,
  callback: Parameters<LookupFunction>[2],
): void {
  if (options.all === true) return callback(null, addresses);
  const [first] = addresses;
  if (first === undefined) return callback(new Error('no address was found'), []);
  callback(null, first.address, first.family);
}

function refused(host: string): AddressRefused {
  return new AddressRefused(
    `${host} is an address of this machine, of its links or of its cloud: permit it by --upstream-allow if it is meant`,
  );
}
