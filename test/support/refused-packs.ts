import { asAdministrator } from './administrator.ts';

/** Has the database refuse every new pack with an error of this name; answers what ends that. */
export async function refusePacks(url: string, condition: string): Promise<() => Promise<void>> {
  await asAdministrator(
    url,
    `create function refuse_pack() returns trigger language plpgsql as
     $$ begin raise exception 'refused' using errcode = '${condition}'; end $$`,
    'create trigger refuse_pack before insert on packs for each row execute function refuse_pack()',
  );
  return () => asAdministrator(url, 'drop trigger refuse_pack on packs');
}
