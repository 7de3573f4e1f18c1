import type { Software } from '../host.ts';
import type { HubRuntime } from '../hub-runtime.ts';
import type { Caller, Completion } from '../server/caller.ts';

/** A REST call that has asked a client for a result. */
export class RestCaller implements Caller {
  readonly edgeId = undefined;
  readonly software: Pick<Software, 'losesEarlyAnswers'> = { losesEarlyAnswers: false };
  readonly serverId: string;
  readonly hub: HubRuntime;
  readonly complete: (completion: Completion) => void;

  /** `serverId`: no app server has the same. */
  constructor(serverId: string, hub: HubRuntime, complete: (completion: Completion) => void) {
    this.serverId = serverId;
    this.hub = hub;
    this.complete = complete;
  }

  done(): void {}
}
