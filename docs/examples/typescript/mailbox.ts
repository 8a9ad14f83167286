// In place of a person who opens a mail: reads those that `make run` writes into a folder instead of sending them.

import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const END = "\n" + "-".repeat(79) + "\n"; // Django writes it after each
const PATIENCE = 60; // seconds

export class Mailbox {
  constructor(private folder: string, readonly address: string) {}

  /** That of the link to `page` in the mail whose subject has `title`, once it is there. */
  async token(title: string, page = ""): Promise<string> {
    const link = new RegExp(page.replaceAll("/", "\\/") + "\\?token=([\\w-]+)");
    for (let second = 0; second < PATIENCE; second++) {
      for (const mail of this.mails()) {
        const found = link.exec(mail);
        if (found?.[1] && subject(mail).includes(title)) return found[1];
      }
      await sleep(1000);
    }
    throw new Error(`no mail “${title}” to ${this.address} in ${this.folder}`);
  }

  private mails(): string[] {
    const files = readdirSync(this.folder).filter((name) => name.endsWith(".log"));
    const mails = files.flatMap((name) => readFileSync(`${this.folder}/${name}`, "utf8").split(END).slice(0, -1));
    return mails.map(decoded).filter((mail) => mail.includes(`To: ${this.address}`));
  }
}

/** Undoes quoted-printable as far as links need it. */
function decoded(mail: string): string {
  return mail.replace(/=\r?\n/g, "").replaceAll("=3D", "=");
}

function subject(mail: string): string {
  return /^Subject: (.*(\r?\n[ \t].*)*)/m.exec(mail)?.[1]?.replace(/\r?\n[ \t]/g, " ") ?? "";
}
