/** Runs in the parser thread: the bytes of a pack.yaml in, what it says out. */
import { parentPort } from 'node:worker_threads';
import { parsePackYamlBytes } from './pack-yaml.ts';

if (parentPort === null) throw new Error('This file runs as a worker thread only');
const port = parentPort;

// A text of 64 KiB can hold as many errors, each of which would take a trace of the stack along.
Error.stackTraceLimit = 0;

port.on('message', (bytes: Uint8Array) => port.postMessage(parsePackYamlBytes(bytes)));
port.postMessage('ready');
