import { type DirectiveNode, Kind, parse, print, visit } from 'graphql';

/** A supergraph without `@requiresScopes`, for routers that do not know it. */
export function withoutScopes(supergraphSdl: string): string {
  const isLink = ({ arguments: given = [] }: DirectiveNode) =>
    given.some(
      ({ value }) => value.kind === Kind.STRING && value.value.includes('/requiresScopes/'),
    );
  const isScopes = ({ name: { value } }: { readonly name: { readonly value: string } }) =>
    value === 'requiresScopes' || value.startsWith('requiresScopes__');
  return print(
    visit(parse(supergraphSdl), {
      Directive: (node) => (isScopes(node) || isLink(node) ? null : undefined),
      DirectiveDefinition: (node) => (isScopes(node) ? null : undefined),
      ScalarTypeDefinition: (node) => (isScopes(node) ? null : undefined),
    }),
  );
}
