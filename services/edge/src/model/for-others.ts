import type { Command, Target } from './command.ts';
import type { Effect, Publish } from './effect.ts';

const TO_HUB: Readonly<Record<Publish['needs'], Publish>> = {
  nothing: { kind: 'publish', to: { kind: 'hub' }, needs: 'nothing' },
  allDone: { kind: 'publish', to: { kind: 'hub' }, needs: 'allDone' },
  anyFound: { kind: 'publish', to: { kind: 'hub' }, needs: 'anyFound' },
};

/**
 * What other edges must see of a command that has been carried out here. What names connections is
 * settled if all of them are here; users, groups and everybody may be on every edge.
 */
export function forOthers<M>(
  command: Command,
  effects: readonly Effect<M>[],
  isHere: (connectionId: string) => boolean,
): Publish | undefined {
  switch (command.kind) {
    case 'send':
    case 'close': {
      const isSend = command.kind === 'send';
      const { target } = command;
      if (target.kind !== 'connections') {
        return isSend ? toWhoWantsIt(target) : toHub('allDone');
      }
      const ids = missing(target.ids, effects, isHere);
      return ids && toConnections(ids, isSend ? 'nothing' : 'anyFound');
    }
    case 'joinUser':
    case 'leaveUser':
    case 'filtered':
      return toHub('allDone');
    default:
      if (effects.every((effect) => effect.kind !== 'answer' || effect.found)) return undefined;
      return 'connectionId' in command
        ? toConnections([command.connectionId], 'anyFound')
        : toHub('anyFound');
  }
}

/** One name is published to those that have somebody of it; by several an edge would hear it several times. */
function toWhoWantsIt(target: Exclude<Target, { kind: 'connections' }>): Publish {
  if (target.kind === 'all') return toHub('nothing');
  const [of, names] =
    target.kind === 'groups' ? (['group', target.names] as const) : (['user', target.ids] as const);
  const [name] = names;
  if (name === undefined || names.length > 1) return toHub('nothing');
  return { kind: 'publish', to: { kind: 'name', of, name }, needs: 'nothing' };
}

function toHub(needs: Publish['needs']): Publish {
  return TO_HUB[needs];
}

function toConnections(ids: readonly string[], needs: Publish['needs']): Publish {
  return { kind: 'publish', to: { kind: 'connections', ids }, needs };
}

/** Ids may repeat: only where fewer connections were found are they looked up. */
function missing<M>(
  ids: readonly string[],
  effects: readonly Effect<M>[],
  isHere: (connectionId: string) => boolean,
): readonly string[] | undefined {
  const allFound = effects.some(
    (effect) => 'members' in effect && effect.members.length === ids.length,
  );
  if (allFound) return undefined;
  const others = [...new Set(ids)].filter((id) => !isHere(id));
  return others.length === 0 ? undefined : others;
}
