import type { EdgeContext } from './edge-context.ts';
import type { Expiring } from './watch.ts';

/** Outcomes that a client notices. */
const BAD = ['no_server', 'not_possible'];

/**
 * One line for what has become of clients whose app server went, each second in which there were
 * any: a line for each of them would be thousands at once.
 */
export class MigrationLog implements Expiring {
  readonly #context: EdgeContext;
  #before = new Map<string, number>();

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  expire(): void {
    const { counters, log } = this.#context;
    const now = new Map(counters.migrations.entries());
    const news = [...now].map(([outcome, count]): [string, number] => [
      outcome,
      count - (this.#before.get(outcome) ?? 0),
    ]);
    this.#before = now;
    const { rebalanced, ...outcomes } = Object.fromEntries(news.filter(([, count]) => count > 0));
    if (rebalanced !== undefined)
      log.info({ rebalanced }, 'clients moved to app servers with fewer');
    if (BAD.some((outcome) => outcome in outcomes)) {
      log.warn(outcomes, 'clients closed that could not be moved to another app server');
    } else if (Object.keys(outcomes).length > 0) {
      log.info(outcomes, 'clients left by their app server, moved or closed as it wants');
    }
  }
}
