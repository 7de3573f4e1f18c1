import { hideAllTyping, hideTyping, showTyping, startComposer } from './composer.js';
import { Connection } from './connection.js';
import { avatar, byId } from './dom.js';
import { clearLog, showMessage, showNote, showOwn } from './log.js';
import { friendlyName } from './names.js';
import { openSide, roomUrl, showPeople, showRooms } from './side.js';

const NAME_KEY = 'trunkline-chat-name';
const STATES = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  disconnected: 'Disconnected',
};

/** Where this page wants to be, and what it knows of the room. */
const here = {
  room: roomOfUrl(),
  name: localStorage.getItem(NAME_KEY) ?? friendlyName(),
  me: undefined,
  /** The ids one has had: each join gives a new one. */
  mine: new Set(),
  people: new Map(),
  /** All rooms with somebody in them, as of the last ping. */
  rooms: [],
  entering: 0,
};

const hubMethods = {
  message: inRoom((message) => {
    hideTyping(message.from.id);
    showMessage(message);
  }),
  joined: inRoom((person) => {
    here.people.set(person.id, person);
    showPresence();
    showNote(`${person.name} joined`);
  }),
  left: inRoom((person) => {
    hideTyping(person.id);
    if (!here.people.delete(person.id)) return;
    showPresence();
    showNote(`${person.name} left`);
  }),
  typing: inRoom(showTyping),
};

const transport = new URLSearchParams(location.search).get('transport');
const connection = new Connection('/chat', hubMethods, transport);

/** What still comes from a room that this page has left is not for the one it shows. */
function inRoom(handler) {
  return (room, ...args) => {
    if (room === here.room) handler(...args);
  };
}

connection.addEventListener('state', ({ detail: state }) => {
  document.body.dataset.state = state;
  byId('state').textContent = STATES[state];
  byId('connect').hidden = state !== 'disconnected';
  byId('send').disabled = state !== 'connected';
  byId('text').placeholder = state === 'connected' ? 'Write a message' : 'Waiting for a connection';
  byId('transport').textContent = state === 'connected' ? connection.transport : '–';
  byId('connection-id').textContent = state === 'connected' ? connection.id : '–';
  byId('round-trip').textContent = '–';
  hideAllTyping();
  // A connection after a lost one is a new one, with an id of its own and in no room.
  void enter();
});

connection.addEventListener('ping', ({ detail: { room, milliseconds } }) => {
  byId('round-trip').textContent = `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  // Another app server may have taken over the connection, and does not know who this is.
  if (room !== here.room && here.entering === 0) void enter();
  else void listRooms();
});

/** Joins the room this page wants to be in; happens again whenever a connection comes up. */
async function enter() {
  if (connection.state !== 'connected') return;
  const { room, name } = here;
  here.entering += 1;
  try {
    const { me, people, messages } = await connection.call('join', room, name);
    if (room !== here.room) return;
    here.me = me;
    here.mine.add(me.id);
    here.people = new Map(people.map((person) => [person.id, person]));
    showPresence();
    for (const message of messages) showMessage(message, here.mine.has(message.from.id));
    notify('');
    void listRooms();
  } catch (error) {
    notify(error.message);
  } finally {
    here.entering -= 1;
  }
}

async function listRooms() {
  try {
    here.rooms = await connection.call('rooms');
    showRooms(here.rooms, here.room, here.people.size);
  } catch {
    // The connection went meanwhile; the list comes with the next one.
  }
}

function showPresence() {
  showPeople([...here.people.values()], here.me);
  showRooms(here.rooms, here.room, here.people.size);
}

function moveTo(room) {
  openSide(false);
  if (room === here.room) return;
  here.room = room;
  here.people.clear();
  clearLog();
  hideAllTyping();
  showRoom();
  void enter();
}

function showRoom() {
  byId('room').textContent = here.room;
  byId('who').textContent = '';
  document.title = `${here.room} · Trunkline chat`;
  showRooms(here.rooms, here.room, here.people.size);
}

function roomOfUrl() {
  return new URLSearchParams(location.search).get('room')?.trim().slice(0, 40).trim() || 'lobby';
}

function notify(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = text === '';
}

function visit(room) {
  history.pushState(null, '', roomUrl(room));
  moveTo(roomOfUrl());
}

byId('rooms').addEventListener('click', (event) => {
  const link = event.target.closest('a');
  if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  visit(new URL(link.href).searchParams.get('room'));
});
byId('new-room').addEventListener('submit', (event) => {
  event.preventDefault();
  const room = byId('room-name').value.trim();
  if (room === '') return;
  event.target.reset();
  visit(room);
});
addEventListener('popstate', () => moveTo(roomOfUrl()));
byId('connect').addEventListener('click', () => connection.connect());

byId('name').value = here.name;
byId('you').addEventListener('submit', (event) => {
  event.preventDefault();
  byId('name').blur();
});
byId('name').addEventListener('change', ({ target }) => {
  const name = target.value.trim() || here.name;
  target.value = name;
  if (name === here.name) return;
  here.name = name;
  keepName();
  void enter();
});

function keepName() {
  localStorage.setItem(NAME_KEY, here.name);
  byId('you-avatar').replaceWith(Object.assign(avatar(here.name), { id: 'you-avatar' }));
}

startComposer({
  say(text) {
    if (connection.state !== 'connected' || here.me === undefined) return false;
    void showOwn(here.me, text, (written) => connection.call('say', written));
    return true;
  },
  typing: () => connection.tell('typing'),
});

keepName();
showRoom();
void connection.connect();
