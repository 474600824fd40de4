/** The owner key of the first org (`default`) of every test database. */
export const OWNER_KEY = 'sk_owner-key-of-the-test-databases-00000';
