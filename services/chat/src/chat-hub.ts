import { Hub, HubError } from '@trunkline/sdk';

import type { Message, Person, Rooms } from './rooms.ts';

/** What the hub calls on a page. Each names the room, since the page may have moved on meanwhile. */
export interface ChatClient {
  message(room: string, message: Message): void;
  joined(room: string, person: Person): void;
  left(room: string, person: Person): void;
  typing(room: string, person: Person): void;
}

/** The answer to `join`: who one is there, who else is, and the latest messages. */
export interface Joined {
  me: Person;
  people: Person[];
  messages: Message[];
}

/** The hub class over one app server's rooms: hub objects live for one invocation, rooms longer. */
export function createChatHub(rooms: Rooms): new () => Hub<ChatClient> {
  return class Chat extends Hub<ChatClient> {
    static readonly methods = ['join', 'say', 'typing', 'ping', 'rooms'] as const;

    /** Moves the caller to a room. Joining the same room again is how one changes one's name. */
    async join(room: unknown, name: unknown): Promise<Joined> {
      const roomName = textWithin(room, 40, 'A room name');
      const personName = textWithin(name, 40, 'A name');
      await this.#leave();
      const me = rooms.enter(this.context.connectionId, roomName, personName);
      await this.clients.group(roomName).joined(roomName, me);
      // In the group first, so that a message falls into the look, the group's sends or both.
      await this.groups.add(this.context.connectionId, roomName);
      return { me, ...rooms.look(roomName) };
    }

    /** Says something to the others in the caller's room; the caller has the message as answer. */
    async say(text: unknown): Promise<Message> {
      const said = rooms.say(this.context.connectionId, textWithin(text, 2000, 'A message'));
      if (said === undefined) throw new HubError('Join a room before you say something.');
      await this.clients.othersInGroup(said.room).message(said.room, said.message);
      return said.message;
    }

    async typing(): Promise<void> {
      const place = rooms.find(this.context.connectionId);
      if (place) await this.clients.othersInGroup(place.room).typing(place.room, place.person);
    }

    /**
     * For measuring the round trip. The answer is the room the caller is in here: none after it came
     * from another app server, and then it joins again.
     */
    ping(): string | null {
      return rooms.find(this.context.connectionId)?.room ?? null;
    }

    rooms(): { name: string; people: number }[] {
      return rooms.list();
    }

    override async onDisconnected(): Promise<void> {
      const place = rooms.leave(this.context.connectionId);
      if (place) await this.clients.group(place.room).left(place.room, place.person);
    }

    async #leave(): Promise<void> {
      const place = rooms.leave(this.context.connectionId);
      if (place === undefined) return;
      await this.groups.remove(this.context.connectionId, place.room);
      await this.clients.group(place.room).left(place.room, place.person);
    }
  };
}

/** The trimmed text, or an error for the caller when it is no text, empty or too long. */
function textWithin(value: unknown, limit: number, what: string): string {
  const text = typeof value === 'string' ? value.trim() : '';
  if (text.length >= 1 && text.length <= limit) return text;
  throw new HubError(`${what} must have 1 to ${limit} characters.`);
}
