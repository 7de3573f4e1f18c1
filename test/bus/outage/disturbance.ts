import type { Trio } from './trio.ts';

/** Something that happens to the third edge, or to the engine, and is over after a while. */
export interface Disturbance {
  readonly what: string;
  readonly happensTo: 'the third edge' | 'the engine';
  /** The third edge serves nobody meanwhile. */
  readonly stops: boolean;
  readonly seconds: number;
  readonly begin: (trio: Trio) => unknown;
  readonly end: (trio: Trio) => unknown;
  /** What those do who have gone with it. */
  readonly comeBack?: (trio: Trio) => unknown;
}

/** Each takes what a busy machine hardly has: where tests of much else run, an engine goes through some of them. */
export function disturbancesFor(scheme: string): readonly Disturbance[] {
  if (process.env['TRUNKLINE_OUTAGES'] === 'all') return DISTURBANCES;
  const own = scheme === 'nats' ? 0 : 1;
  return DISTURBANCES.filter((_, at) => at % 2 === own);
}

const DISTURBANCES: readonly Disturbance[] = [
  {
    what: 'an edge is killed, and started again',
    happensTo: 'the third edge',
    stops: true,
    seconds: 8,
    begin: ({ third }) => third.killEdge(),
    end: ({ third }) => third.startEdgeAgain(),
    comeBack: ({ third }) => third.comeBack(),
  },
  {
    what: 'an edge is frozen for 15 s',
    happensTo: 'the third edge',
    stops: true,
    seconds: 15,
    begin: ({ third }) => third.edge.freeze(),
    end: ({ third }) => third.edge.thaw(),
  },
  {
    what: 'an edge is cut off from the engine for 10 s',
    happensTo: 'the third edge',
    stops: false,
    seconds: 10,
    begin: ({ network }) => {
      network.target = undefined;
      network.cut();
    },
    end: ({ network, engine }) => {
      network.target = `http://${engine.host}`;
    },
  },
  {
    what: 'the engine is killed, and started again after 10 s',
    happensTo: 'the engine',
    stops: false,
    seconds: 10,
    begin: ({ engine }) => engine.kill(),
    end: (trio) => trio.startEngineAgain(),
  },
  {
    what: 'the engine is frozen for 10 s',
    happensTo: 'the engine',
    stops: false,
    seconds: 10,
    begin: ({ engine }) => engine.freeze(),
    end: ({ engine }) => engine.thaw(),
  },
];
