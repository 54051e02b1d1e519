/** Starts the app in the page. */
import { mount } from "svelte";
import { App } from "./app/app.svelte";
import { allowOwnWorkers } from "./app/trustedTypes";
import Shell from "./ui/Shell.svelte";
import "./ui/styles/tokens.css";
import "./ui/styles/base.css";
import "./ui/styles/parts.css";

const target = document.querySelector("#app");
if (target) {
  allowOwnWorkers();
  const app = new App();
  app.start();
  mount(Shell, { target, props: { app } });
}
