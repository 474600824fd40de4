import { describe, expect, test } from 'vitest';
import { namesHost, parseHost, protocolOf, withoutDefaultPort } from '../../src/registry/host.ts';

describe('a host', () => {
  test.each([
    ['registry.example', 'registry.example'],
    ['Registry.Example:5000', 'registry.example:5000'],
    ['[::1]:5000', '[::1]:5000'],
    ['[0:0:0:0:0:0:0:1]', '[::1]'],
    ['[FE80::A]:1', '[fe80::a]:1'],
    ['[::1', null],
    ['[::g]', null],
    ['[127.0.0.1]', null],
    ['::1', null],
    ['a/b', null],
    ['user@host', null],
    ['\u212Aube.example', null],
    ['', null],
  ])('%s', (text, host) => {
    expect(parseHost(text)).toBe(host);
  });

  test('has the default port of its protocol, written or not', () => {
    expect(withoutDefaultPort('a.example:443', 'https:')).toBe('a.example');
    expect(withoutDefaultPort('a.example:443', 'http:')).toBe('a.example:443');
    expect(withoutDefaultPort('[::1]:80', 'http:')).toBe('[::1]');
    expect(namesHost(['a.example:443'], new URL('https://a.example/token'))).toBe(true);
    expect(namesHost(['a.example'], new URL('https://a.example:444/token'))).toBe(false);
  });

  test('on this machine is spoken to without TLS', () => {
    expect(['localhost:5000', '127.0.0.1', '[::1]:5000'].map(protocolOf)).toEqual(
      Array.from({ length: 3 }, () => 'http:'),
    );
    expect(['localhost.evil.example', '127.0.0.1.nip.io', '[::2]'].map(protocolOf)).toEqual(
      Array.from({ length: 3 }, () => 'https:'),
    );
  });
});
