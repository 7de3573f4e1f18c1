import { randomBytes } from 'node:crypto';
import { createLogger, LogDigest } from '@trunkline/telemetry';

import { type BusSettings, readBusAddress } from '../../services/edge/src/bus/bus-address.ts';
import { BusMember } from '../../services/edge/src/bus/bus-member.test-support.ts';
import { BusStats } from '../../services/edge/src/bus/bus-stats.ts';
import { joinBusAt } from '../../services/edge/src/bus/join-bus.ts';
import type { JoinBus } from '../../services/edge/src/ports/bus.ts';
import { SYSTEM_TIME } from '../../services/edge/src/system-time.ts';

export type Settings = Pick<BusSettings, 'bus'> & Partial<BusSettings> & { cluster?: string };

/** An edge's part of a bus, as its settings make it, with what it has counted and logged. */
export class EngineMember extends BusMember {
  readonly stats: BusStats;
  readonly lines: Record<string, unknown>[];

  static async join(edgeId: string, settings: Settings): Promise<EngineMember> {
    const stats = new BusStats();
    const lines: Record<string, unknown>[] = [];
    const join = await joining(edgeId, settings, stats, lines);
    return new EngineMember(edgeId, join, stats, lines);
  }

  private constructor(
    edgeId: string,
    join: JoinBus,
    stats: BusStats,
    lines: Record<string, unknown>[],
  ) {
    super(edgeId, join);
    this.stats = stats;
    this.lines = lines;
  }

  /** Whether it is part of the bus now. */
  get isUp(): boolean {
    return this.stats.isUp;
  }
}

/** How an edge joins; `lines` gets what it logs. */
export function joining(
  edgeId: string,
  { cluster = 'test', bus, busCa, busCredentials }: Settings,
  stats = new BusStats(),
  lines: Record<string, unknown>[] = [],
): Promise<JoinBus> {
  const write = (line: string): void =>
    void lines.push(JSON.parse(line) as Record<string, unknown>);
  const digest = new LogDigest(createLogger({ name: 'edge', level: 'info' }, { write }));
  const address = readBusAddress({ bus, busCa, busCredentials });
  const random = randomBytes;
  return joinBusAt(address, { edgeId, cluster, stats, digest, time: SYSTEM_TIME, random });
}
