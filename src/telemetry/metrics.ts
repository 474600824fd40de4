import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { PoolState, StatementEvent } from '../database/connect.ts';
import {
  type CircuitState,
  circuitStates,
  type RegistryCall,
  registryFailureReasons,
} from '../registry/registry.ts';

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Prometheus metrics; no label takes a value that a caller can choose. */
export interface Metrics {
  readonly contentType: string;
  text(): Promise<string>;
  request(route: string, status: number, milliseconds: number, outcomes: readonly string[]): void;
  statement(event: StatementEvent): void;
  registryCall(call: RegistryCall): void;
  circuit(state: CircuitState): void;
  followers(count: number): void;
  /** Where the pool's gauges are read from at each scrape. */
  watchPool(read: () => PoolState): void;
  /** Somebody reads what is in a pack. @param found its image was unpacked already */
  imageRead(found: boolean): void;
  /** Where the gauges of images kept unpacked are read from. */
  watchUnpacked(read: () => { readonly images: number; readonly bytes: number }): void;
}

/**
 * What Node tells of its process. One for all apps of a process, for it measures until the process ends: prom-client
 * stops neither its timer nor its observer of garbage collections.
 */
export function createProcessMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** @param ofProcess what is told of the process besides */
export function createMetrics(ofProcess: Registry): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'pack_gateway_request_duration_seconds',
    help: 'Time to answer a request.',
    labelNames: ['route', 'status'],
    buckets: seconds,
    registers,
  });
  const outcomes = new Counter({
    name: 'pack_gateway_outcomes_total',
    help: 'Outcomes of use-cases and codes of errors.',
    labelNames: ['kind'],
    registers,
  });
  const statements = new Histogram({
    name: 'pack_gateway_sql_duration_seconds',
    help: 'Time of one SQL statement.',
    labelNames: ['failed'],
    buckets: seconds,
    registers,
  });
  const registryCalls = new Histogram({
    name: 'pack_gateway_registry_call_duration_seconds',
    help: 'Time of one call to the registry, by how it ended.',
    labelNames: ['operation', 'outcome'],
    buckets: seconds,
    registers,
  });
  const registryFailures = new Counter({
    name: 'pack_gateway_registry_failures_total',
    help: 'Calls to the registry that failed, by reason.',
    labelNames: ['reason'],
    registers,
  });
  // From the start on, so that an alert can tell "none" from "not measured".
  for (const reason of registryFailureReasons) registryFailures.inc({ reason }, 0);
  const circuit = new Gauge({
    name: 'pack_gateway_registry_circuit_state',
    help: 'State of the circuit breaker of the registry: 1 for the state it is in, 0 for the others.',
    labelNames: ['state'],
    registers,
  });
  const showCircuit = (current: CircuitState) => {
    for (const state of circuitStates) circuit.set({ state }, state === current ? 1 : 0);
  };
  showCircuit('closed');
  const followers = new Gauge({
    name: 'pack_gateway_event_streams',
    help: 'Streams of events (subscriptions) that are open.',
    registers,
  });
  let readPool = (): PoolState => ({ total: 0, idle: 0, waiting: 0 });
  new Gauge({
    name: 'pack_gateway_database_connections',
    help: 'Connections to PostgreSQL, and requests that wait for one; 0 on the embedded database.',
    labelNames: ['state'],
    registers,
    collect() {
      const { total, idle, waiting } = readPool();
      this.set({ state: 'in_use' }, total - idle);
      this.set({ state: 'idle' }, idle);
      this.set({ state: 'waiting' }, waiting);
    },
  });
  const imageReads = new Counter({
    name: 'pack_gateway_image_reads_total',
    help: 'Reads of what is in a pack, by whether its image was kept unpacked.',
    labelNames: ['kept'],
    registers,
  });
  for (const kept of ['true', 'false']) imageReads.inc({ kept }, 0);
  let readUnpacked = () => ({ images: 0, bytes: 0 });
  const unpacked = (name: string, help: string, of: 'images' | 'bytes') =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(readUnpacked()[of]);
      },
    });
  unpacked('pack_gateway_unpacked_images', 'Images kept unpacked on disk.', 'images');
  unpacked('pack_gateway_unpacked_images_bytes', 'Bytes of images kept unpacked on disk.', 'bytes');
  return {
    contentType: registry.contentType,
    text: async () => `${await ofProcess.metrics()}\n${await registry.metrics()}`,
    request(route, status, milliseconds, kinds) {
      requests.observe({ route, status: String(status) }, milliseconds / 1000);
      for (const kind of kinds) outcomes.inc({ kind });
    },
    statement: ({ failed, milliseconds }) =>
      statements.observe({ failed: String(failed) }, milliseconds / 1000),
    registryCall({ operation, outcome, milliseconds }) {
      registryCalls.observe({ operation, outcome }, milliseconds / 1000);
      if (outcome !== 'ok' && outcome !== 'missing') registryFailures.inc({ reason: outcome });
    },
    circuit: showCircuit,
    followers: (count) => followers.set(count),
    watchPool(read) {
      readPool = read;
    },
    imageRead: (found) => imageReads.inc({ kept: String(found) }),
    watchUnpacked(read) {
      readUnpacked = read;
    },
  };
}
