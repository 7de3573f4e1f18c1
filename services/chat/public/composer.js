import { byId } from './dom.js';

/** Others are told at most this often that one is typing, and forget it after somewhat longer. */
const TELL_EVERY = 2000;
const FORGET_AFTER = 3500;

const form = byId('composer');
const text = byId('text');

/** Calls `say` with what was written, if it takes it (answers true), and `typing` meanwhile. */
export function startComposer({ say, typing }) {
  let told = -Infinity;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const written = text.value.trim();
    if (written === '' || !say(written)) return;
    text.value = '';
    told = -Infinity;
    text.focus();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  text.addEventListener('input', ({ timeStamp }) => {
    if (text.value === '' || timeStamp - told < TELL_EVERY) return;
    told = timeStamp;
    typing();
  });
}

const typists = new Map();

export function showTyping({ id, name }) {
  clearTimeout(typists.get(id)?.timer);
  typists.set(id, { name, timer: setTimeout(() => hideTyping(id), FORGET_AFTER) });
  writeTyping();
}

/** That person has sent the message, or is gone. */
export function hideTyping(id) {
  clearTimeout(typists.get(id)?.timer);
  if (typists.delete(id)) writeTyping();
}

export function hideAllTyping() {
  for (const id of [...typists.keys()]) hideTyping(id);
}

function writeTyping() {
  const names = [...typists.values()].map(({ name }) => name);
  byId('typing').textContent =
    names.length > 2
      ? 'Several people are typing…'
      : names.length > 0
        ? `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} typing…`
        : '';
}
