/** Reads every list of the schema to its end, and every single thing, with everything that can be asked of it. */
import {
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
} from 'graphql';
import type { PermissionSet } from '../../../src/model/api-key.entity.ts';
import { isSweep } from '../../support/extent.ts';
import {
  documentOf,
  graphqlRequest,
  type RootField,
  requiredValues,
} from './graphql-operations.ts';
import type { Answer, Prober } from './prober.ts';
import type { World } from './world.ts';

/** Levels of objects below a root field: the packs of the roles of the packs of a list. */
const DEPTH = 5;
/** As many items as the limit on costs allows with all of that. */
const PAGE = 12;

export async function readEverything(
  world: World,
  prober: Prober,
  schema: GraphQLSchema,
  as: PermissionSet,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  const fields = Object.values(schema.getQueryType()?.getFields() ?? {});
  for (const field of fields.filter(({ name }) => !name.startsWith('_'))) {
    // Whoever may do less chooses from the same lists, and is tried without a choice.
    for (const choice of as === 'OWNER' || isSweep ? choicesOf(field.args) : [{}]) {
      answers.push(...(await readAll(world, prober, schema, field, choice, as)));
    }
  }
  return answers;
}

async function readAll(
  world: World,
  prober: Prober,
  schema: GraphQLSchema,
  field: RootField,
  choice: object,
  as: PermissionSet,
): Promise<Answer[]> {
  const isList = field.args.some(({ name }) => name === 'first');
  const answers: Answer[] = [];
  let after: string | null = null;
  do {
    const variables: object = {
      ...requiredValues(field.args, world),
      ...choice,
      ...(isList && { first: PAGE }),
      ...(after !== null && { after }),
    };
    const query = documentOf(schema, 'query', field, variables, DEPTH);
    const answer = await prober.ask(graphqlRequest(query, variables), as);
    answers.push(answer);
    const page = answer.body.data?.[field.name]?.pageInfo;
    after = page?.hasNextPage === true ? page.endCursor : null;
  } while (after !== null);
  return answers;
}

/** Nothing chosen, then each value of each enum and each boolean by itself. */
function choicesOf(inputs: readonly (GraphQLArgument | GraphQLInputField)[]): object[] {
  const chosen = inputs.flatMap(({ name, type }): object[] => {
    const named = getNamedType(type);
    if (isInputObjectType(named)) {
      return choicesOf(Object.values(named.getFields())).map((inner) => ({ [name]: inner }));
    }
    if (named.name === 'Boolean') return [{ [name]: true }, { [name]: false }];
    return isEnumType(named) ? named.getValues().map((value) => ({ [name]: value.name })) : [];
  });
  return [{}, ...chosen];
}
