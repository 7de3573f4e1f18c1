import { NATS_ENGINE } from '../engines.ts';
import { holdsThroughOutages } from './outage-suite.ts';

holdsThroughOutages(NATS_ENGINE);
