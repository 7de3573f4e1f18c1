import { REDIS_ENGINE } from '../engines.ts';
import { holdsThroughOutages } from './outage-suite.ts';

holdsThroughOutages(REDIS_ENGINE);
