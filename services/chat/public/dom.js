import { hueOf, initialsOf } from './names.js';

/** The page's element with this id. */
export const byId = (id) => document.getElementById(id);

/** A new element. Its text is set as text, so nothing that anybody wrote becomes markup. */
export function element(tag, className, text = '') {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** A disc in the name's colour with its initials; only for the eye, since the name stands by. */
export function avatar(name) {
  const disc = element('span', 'avatar', initialsOf(name));
  disc.style.setProperty('--hue', hueOf(name));
  disc.ariaHidden = 'true';
  return disc;
}
