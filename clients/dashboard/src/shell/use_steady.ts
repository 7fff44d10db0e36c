// useSteady: a Steady that ends with the component that uses it.
import { useEffect, useMemo } from "preact/hooks";
import { Steady } from "../model/steady";

export function useSteady(): Steady {
  const steady = useMemo(() => new Steady(), []);
  useEffect(() => () => steady.stop(), [steady]);
  return steady;
}
