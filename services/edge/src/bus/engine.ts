/** NATS or Redis, as an edge uses it: says what it is told to, and hears what it has subscribed to. */
export interface Engine {
  /** Bytes that were written and that the engine has not taken yet, as far as is known. */
  underway(): number;
  /**
   * Only while connected. `name`: of the subject, as `EngineSubjects` gives it. `to`: the id of the edge
   * that the batch is for, if it is for one alone: when that edge does not listen, an engine that can
   * know it says so by `unheard`.
   */
  write(name: string, batch: Buffer, to: string | undefined): void;
  /** At any time; in force when connected, again and again. Names that are subscribed to are passed over. */
  subscribe(names: readonly string[]): void;
  unsubscribe(names: readonly string[]): void;
  /** Runs `then` when the engine has done all that it was told before; not at all when it is lost first. */
  sync(then: () => void): void;
  /** To be called about once a second: looks whether the engine lives. */
  check(): void;
  /** Has the engine take what was written, if that is a matter of moments, and ends all timers and sockets. */
  close(): Promise<void>;
}

/** What an engine tells the edge. It tries to connect from its making on, and never gives up. */
export interface EngineEvents {
  /** Connected, for the first time or again, and told of all subscriptions. */
  connected(): void;
  /**
   * It was connected, and is not any more; or it could hear others while it was being connected again, and
   * cannot any more. `why` is for people.
   */
  lost(why: string): void;
  /** It could not be connected to. */
  failed(why: string): void;
  /** `batch` is lent for the call. */
  received(name: string, batch: Buffer): void;
  /** Nobody listens to what was written for that edge. */
  unheard(edgeId: string): void;
  /** It has taken some of what it was written. */
  taken(): void;
}
