import { randomUUID } from 'node:crypto';

/** How many messages of a room a newcomer is shown. */
const RECENT_MESSAGES = 50;
/** How many rooms `list` names. */
const LISTED_ROOMS = 50;

/** One presence in a room. The id is not the connection id: that one is nobody else's business. */
export interface Person {
  readonly id: string;
  readonly name: string;
}

export interface Message {
  readonly id: string;
  readonly from: Person;
  readonly text: string;
  /** Milliseconds since 1970, by the app server's clock. */
  readonly at: number;
}

interface Room {
  readonly name: string;
  readonly people: Map<string, Person>;
  readonly messages: Message[];
}

/**
 * Who is where, and what was said there last: one room per connection, in the memory of this app
 * server. A room comes with its first member and goes, messages and all, with its last.
 */
export class Rooms {
  readonly #rooms = new Map<string, Room>();
  readonly #roomOf = new Map<string, Room>();

  /** Enters a room; the connection must have left the one before. */
  enter(connectionId: string, roomName: string, name: string): Person {
    let room = this.#rooms.get(roomName);
    if (room === undefined) {
      room = { name: roomName, people: new Map(), messages: [] };
      this.#rooms.set(roomName, room);
    }
    const person = { id: randomUUID(), name };
    room.people.set(connectionId, person);
    this.#roomOf.set(connectionId, room);
    return person;
  }

  /** Leaves the connection's room and says which one it was and as whom; nothing if in none. */
  leave(connectionId: string): { room: string; person: Person } | undefined {
    const place = this.find(connectionId);
    if (place === undefined) return undefined;
    this.#roomOf.delete(connectionId);
    const room = this.#rooms.get(place.room)!;
    room.people.delete(connectionId);
    if (room.people.size === 0) this.#rooms.delete(place.room);
    return place;
  }

  find(connectionId: string): { room: string; person: Person } | undefined {
    const room = this.#roomOf.get(connectionId);
    return room && { room: room.name, person: room.people.get(connectionId)! };
  }

  /** Keeps what the connection says in its room; nothing if it is in none. */
  say(connectionId: string, text: string): { room: string; message: Message } | undefined {
    const room = this.#roomOf.get(connectionId);
    if (room === undefined) return undefined;
    const from = room.people.get(connectionId)!;
    const message = { id: randomUUID(), from, text, at: Date.now() };
    room.messages.push(message);
    if (room.messages.length > RECENT_MESSAGES) room.messages.shift();
    return { room: room.name, message };
  }

  /** The people of a room in the order they came, and its latest messages, oldest first. */
  look(roomName: string): { people: Person[]; messages: Message[] } {
    const room = this.#rooms.get(roomName);
    return { people: [...(room?.people.values() ?? [])], messages: [...(room?.messages ?? [])] };
  }

  /** The rooms with the most people first. */
  list(): { name: string; people: number }[] {
    return [...this.#rooms.values()]
      .map(({ name, people }) => ({ name, people: people.size }))
      .sort((a, b) => b.people - a.people)
      .slice(0, LISTED_ROOMS);
  }
}
