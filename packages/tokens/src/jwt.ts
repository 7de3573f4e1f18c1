import { giveBack } from './require-for-jwt.ts';
// Behind what lends it `require`: see `lendRequire`.
import jwt from 'jsonwebtoken';

giveBack();

export { jwt };
