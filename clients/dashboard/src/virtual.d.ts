declare module "virtual:goals" {
  const file: import("./model/goals").GoalFile;
  export default file;
}
