const MANNERS =
  'Amber Brisk Calm Clever Cosy Eager Gentle Jolly Keen Lucky Merry Nimble Quiet Swift';
const ANIMALS =
  'Badger Curlew Dormouse Finch Hare Heron Lynx Marten Otter Owl Puffin Robin Stoat Wren';

/** A name for somebody who has not chosen one yet, such as "Brisk Otter". */
export function friendlyName() {
  return `${oneOf(MANNERS)} ${oneOf(ANIMALS)}`;
}

function oneOf(words) {
  const list = words.split(' ');
  return list[Math.floor(Math.random() * list.length)];
}

/** The degree on the colour wheel that goes with a name, the same on every page. */
export function hueOf(name) {
  let hash = 2166136261;
  for (const character of name) hash = Math.imul(hash ^ character.codePointAt(0), 16777619);
  return (hash >>> 8) % 360;
}

/** One or two letters for a name: "BO" for "Brisk Otter". */
export function initialsOf(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0].toUpperCase()).join('');
}
