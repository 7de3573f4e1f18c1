import { describe, expect, it } from 'vitest';

import { Rooms } from './rooms.ts';

describe('Rooms', () => {
  it('knows who is where', () => {
    const rooms = new Rooms();
    const ada = rooms.enter('c1', 'lobby', 'Ada');
    const grace = rooms.enter('c2', 'lobby', 'Grace');
    expect(rooms.find('c2')).toEqual({ room: 'lobby', person: grace });
    expect(rooms.look('lobby').people).toEqual([ada, grace]);
    expect(rooms.leave('c1')).toEqual({ room: 'lobby', person: ada });
    expect(rooms.look('lobby').people).toEqual([grace]);
    expect(rooms.find('c1')).toBeUndefined();
    expect(rooms.leave('c1')).toBeUndefined();
  });

  it('tells two people of one name apart, and hides their connection ids', () => {
    const rooms = new Rooms();
    const ids = ['c1', 'c2'].map((connectionId) => rooms.enter(connectionId, 'lobby', 'Ada').id);
    expect(new Set([...ids, 'c1', 'c2']).size).toBe(4);
  });

  it('keeps the latest 50 messages, oldest first', () => {
    const rooms = new Rooms();
    const from = rooms.enter('c1', 'lobby', 'Ada');
    for (let n = 1; n <= 51; n += 1) rooms.say('c1', `${n}`);
    const { messages } = rooms.look('lobby');
    expect(messages.map(({ text }) => text)).toEqual(
      Array.from({ length: 50 }, (_, n) => `${n + 2}`),
    );
    expect(messages[0]).toMatchObject({ from, at: expect.any(Number) });
  });

  it('keeps nothing said outside a room', () => {
    expect(new Rooms().say('c1', 'hello?')).toBeUndefined();
  });

  it('forgets a room with its last member', () => {
    const rooms = new Rooms();
    rooms.enter('c1', 'lobby', 'Ada');
    rooms.say('c1', 'hello?');
    rooms.leave('c1');
    expect(rooms.list()).toEqual([]);
    rooms.enter('c2', 'lobby', 'Grace');
    expect(rooms.look('lobby').messages).toEqual([]);
  });

  it('lists 50 rooms, the fullest first', () => {
    const rooms = new Rooms();
    for (let n = 0; n < 60; n += 1) rooms.enter(`c${n}`, `room ${n}`, 'Ada');
    rooms.enter('c60', 'room 59', 'Grace');
    expect(rooms.list()).toHaveLength(50);
    expect(rooms.list()[0]).toEqual({ name: 'room 59', people: 2 });
  });
});
