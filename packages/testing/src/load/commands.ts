import type { ArrivalsOptions } from './arrivals.ts';
import type { BroadcastOptions, BroadcastResult } from './broadcast.ts';
import type { EchoResult, FlatOutOptions, PacedOptions } from './echo.ts';
import type { HearOptions } from './hear.ts';
import type { StormOptions, StormResult } from './storm.ts';
import type { ConnectOptions } from './swarm.ts';

/** What a load generator can be told over IPC: each command's options and what it answers. */
export interface Commands {
  connect: { options: ConnectOptions; answer: void };
  echoFlatOut: { options: FlatOutOptions; answer: EchoResult };
  echoPaced: { options: PacedOptions; answer: EchoResult };
  broadcasts: { options: BroadcastOptions; answer: BroadcastResult };
  hear: { options: HearOptions; answer: void };
  noteArrivals: { options: Record<string, never>; answer: void };
  arrivals: { options: ArrivalsOptions; answer: number[] };
  storm: { options: StormOptions; answer: StormResult };
  close: { options: Record<string, never>; answer: void };
}

/** One command, to the generator. There is never more than one under way. */
export type Request = {
  [Name in keyof Commands]: { command: Name; options: Commands[Name]['options'] };
}[keyof Commands];

/** Its answer, from the generator. */
export type Reply = { answer?: unknown } | { error: string };
