/** The one generator of seedrandom that is used here, without the others and without what seeds them from the host. */
declare module "seedrandom/lib/alea.js" {
  import seedrandom from "seedrandom";

  const alea: typeof seedrandom.alea;
  export default alea;
}
