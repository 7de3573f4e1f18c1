import { avatar, byId, element } from './dom.js';

/** Messages of one person that are closer together than this stand under one name. */
const GROUP_WITHIN = 5 * 60_000;
/** How close to its end, in pixels, the log counts as read to the end. */
const AT_END = 48;

const list = byId('log');
const newest = byId('newest');
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const shown = new Set();

list.addEventListener('scroll', () => {
  if (atEnd()) newest.hidden = true;
});
newest.addEventListener('click', () => scrollToEnd());
new ResizeObserver(() => {
  if (newest.hidden) scrollToEnd();
}).observe(list);

export function clearLog() {
  list.replaceChildren();
  shown.clear();
  newest.hidden = true;
}

/** A message of somebody, unless it is in the log already. */
export function showMessage(message, mine = false) {
  if (shown.has(message.id)) return;
  shown.add(message.id);
  append(messageItem(message, mine), mine);
}

/**
 * A message of one's own, in the log before the hub has it. `send` hands it over and resolves with
 * the message as the hub keeps it; when that fails the log offers to try again.
 */
export async function showOwn(from, text, send) {
  const item = messageItem({ from, text, at: Date.now() }, true);
  append(item, true);
  const attempt = async () => {
    item.classList.add('pending');
    try {
      shown.add((await send(text)).id);
    } catch (error) {
      offerRetry(item, error.message, attempt);
    }
    item.classList.remove('pending');
  };
  await attempt();
}

/** A line about what happened, such as somebody joining. */
export function showNote(text) {
  append(element('li', 'note', text), false);
}

function offerRetry(item, reason, attempt) {
  const retry = element('button', 'retry', 'Not sent. Try again');
  retry.type = 'button';
  retry.title = reason;
  retry.addEventListener('click', () => {
    retry.remove();
    void attempt();
  });
  item.querySelector('.body').append(retry);
}

function messageItem({ from, text, at }, mine) {
  const item = element('li', mine ? 'message mine' : 'message');
  item.dataset.from = from.id;
  item.dataset.at = at;
  const previous = list.lastElementChild?.dataset;
  if (previous?.from === from.id && at - previous.at < GROUP_WITHIN) item.classList.add('follows');

  const time = element('time', '', clock.format(at));
  time.dateTime = new Date(at).toISOString();
  const by = element('p', 'by');
  by.append(element('b', '', mine ? 'You' : from.name), ' ', time);
  const body = element('div', 'body');
  body.append(by, element('p', 'text', text));
  item.append(avatar(from.name), body);
  return item;
}

/** Stays at the end when it was there; a reader further up is told, not moved. */
function append(item, mine) {
  const follow = mine || atEnd();
  list.append(item);
  if (follow) scrollToEnd();
  else newest.hidden = false;
}

function atEnd() {
  return list.scrollHeight - list.scrollTop - list.clientHeight < AT_END;
}

function scrollToEnd() {
  list.scrollTop = list.scrollHeight;
  newest.hidden = true;
}
