import type { World } from '../world.ts';
import type { MakeChecker } from './checker.ts';

/**
 * When all is quiet: edges know each other, losses are known, clients have app servers, app servers have
 * nobody else, and edges agree on rules.
 */
export const settled: MakeChecker = (journal) => ({
  settled(world) {
    for (const edge of world.live) {
      const expected = world.live.filter((other) => other !== edge).map(({ edgeId }) => edgeId);
      if (edge.others.join() !== expected.toSorted().join()) {
        journal.violation('settled', `${edge.edgeId} knows ${edge.others.join()} alone`);
      }
    }
    for (const edgeId of journal.unknownLosses) {
      journal.violation('settled', `${edgeId} has lost something and does not know`);
    }
    for (const client of world.clients) {
      if (client.isWaiting) journal.violation('settled', `${client.user} has no app server`);
    }
    const ids = new Set([...journal.conns].map(({ id }) => id));
    for (const line of world.apps.flatMap((app) => app.lines)) {
      for (const id of line.clients) {
        if (!ids.has(id)) journal.violation('settled', `${line.name} has ${id}, which is gone`);
      }
    }
    sameRules(world, (text) => journal.violation('settled', text));
  },
  over(world) {
    for (const edge of world.live) {
      const { clients, servers, unsettled } = edge.core.context;
      if (clients.size + servers.size + unsettled.size > 0) {
        journal.violation(
          'settled',
          `${edge.edgeId} has ${clients.size} clients, ${servers.size} app servers, ${unsettled.size} in between, of nobody`,
        );
      }
      const { guests, remoteClients } = edge.clusterStats;
      if (guests + remoteClients + edge.core.context.guests.size > 0) {
        journal.violation(
          'settled',
          `${edge.edgeId} has guests, or is the host of some, of nobody`,
        );
      }
      for (const [pool, used] of edge.pools.usage()) {
        if (used === 0 || pool === 'user_group_rules') continue;
        journal.violation('settled', `${edge.edgeId} holds ${used} of ${pool} for nobody`);
      }
    }
  },
});

/**
 * A rule that was taken back while an edge did not hear of it stays there if all that knew of that have
 * gone since: only what is missing counts.
 */
function sameRules(world: World, violation: (text: string) => void): void {
  for (const edge of world.live) {
    const model = edge.core.hubs.get(world.hub)?.model;
    if (model === undefined) continue;
    const page = model.rulesAfter(0, edge.machine.time.now());
    const known = new Set(page.rules.map(({ userId, group }) => `${userId} ${group}`));
    for (const rule of world.joinedUsers()) {
      if (!known.has(rule)) violation(`${edge.edgeId} does not know the rule ${rule}`);
    }
  }
}
