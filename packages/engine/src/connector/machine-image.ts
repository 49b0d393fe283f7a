/** An image that was made of a machine. */
export interface MachineImage {
  /** What `LaunchRequest.image` names it by. */
  image: string;
  /** What it is called as a resource of kind `image`, by which `remove` removes it. */
  id: string;
  /** What it takes of the cloud's disks, where the cloud says so. */
  bytes?: number;
}
