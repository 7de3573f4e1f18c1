import { avatar, byId, element } from './dom.js';

/** Rooms that are offered even while nobody is there. */
const STANDING_ROOMS = ['lobby', 'engineering', 'music', 'random'];

/** The standing rooms, the `live` ones ({ name, people }) and the current one with `here` people. */
export function showRooms(live, current, here) {
  const counts = new Map(STANDING_ROOMS.map((name) => [name, 0]));
  for (const { name, people } of live) counts.set(name, people);
  counts.set(current, here);
  const items = [...counts].map(([name, people]) => {
    const link = element('a', '', name);
    link.href = roomUrl(name);
    if (name === current) link.ariaCurrent = 'page';
    if (people > 0) link.append(peopleCount(people));
    const item = element('li', '');
    item.append(link);
    return item;
  });
  keepFocus(byId('rooms'), items);
}

export function roomUrl(room) {
  const query = new URLSearchParams(location.search);
  query.set('room', room);
  return `?${query}`;
}

/** The people of the room, oneself first. */
export function showPeople(people, me) {
  const sorted = [...people].sort((a, b) => Number(b.id === me?.id) - Number(a.id === me?.id));
  const items = sorted.map(({ id, name }) => {
    const item = element('li', '');
    item.append(avatar(name), element('span', 'name', name));
    if (id === me?.id) item.append(element('span', 'tag', 'you'));
    return item;
  });
  byId('people').replaceChildren(...items);
  byId('people-count').textContent = people.length;
  byId('who').textContent =
    people.length === 1 ? 'Only you are here' : `${people.length} people here`;
}

function peopleCount(people) {
  const count = element('span', 'count', `${people}`);
  count.ariaLabel = people === 1 ? ', 1 person' : `, ${people} people`;
  return count;
}

/** The list is made anew every few seconds: whoever walks it by keyboard must not lose the place. */
function keepFocus(list, items) {
  const place = document.activeElement?.closest('#rooms') === list && document.activeElement.href;
  list.replaceChildren(...items);
  if (place) [...list.querySelectorAll('a')].find(({ href }) => href === place)?.focus();
}

const narrow = matchMedia('(max-width: 760px)');
const side = byId('side');
const opener = byId('open-side');

/** On a phone the side is a drawer; closed, it is out of reach for keyboard and screen reader. */
export function openSide(open) {
  side.classList.toggle('open', open);
  side.inert = narrow.matches && !open;
  opener.ariaExpanded = `${open}`;
  if (!narrow.matches) return;
  if (open) byId('close-side').focus();
  else if (document.activeElement === document.body) opener.focus();
}

opener.addEventListener('click', () => openSide(true));
byId('close-side').addEventListener('click', () => openSide(false));
side.addEventListener('keydown', ({ key }) => {
  if (key === 'Escape') openSide(false);
});
document.querySelector('main').addEventListener('pointerdown', ({ target }) => {
  if (side.classList.contains('open') && !opener.contains(target)) openSide(false);
});
narrow.addEventListener('change', () => openSide(false));
openSide(false);
