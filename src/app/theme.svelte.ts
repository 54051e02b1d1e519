/** Light or dark: follows the system until the person chooses. */

export type ThemeChoice = "system" | "light" | "dark";

const key = "weft-theme";

function isChoice(value: string | null): value is ThemeChoice {
  return value === "system" || value === "light" || value === "dark";
}

export class Theme {
  choice = $state<ThemeChoice>("system");
  #systemDark = $state(false);
  dark = $derived(this.choice === "system" ? this.#systemDark : this.choice === "dark");

  start(): void {
    const query = matchMedia("(prefers-color-scheme: dark)");
    this.#systemDark = query.matches;
    query.addEventListener("change", () => {
      this.#systemDark = query.matches;
      this.#apply();
    });
    const stored = localStorage.getItem(key);
    if (isChoice(stored)) this.choice = stored;
    this.#apply();
  }

  choose(choice: ThemeChoice): void {
    this.choice = choice;
    localStorage.setItem(key, choice);
    this.#apply();
  }

  #apply(): void {
    document.documentElement.dataset["theme"] = this.dark ? "dark" : "light";
  }
}
