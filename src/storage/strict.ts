/**
 * Key-value stores in IndexedDB whose writes are on disk when they resolve. Chrome's default is `relaxed`: a
 * power cut could then lose what the app believed saved.
 *
 * Each store is its own database, so that adding one needs no version change of another.
 */
import type { UseStore } from "idb-keyval";
import { storageError } from "./errors";

const objectStore = "entries";

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => void request.result.createObjectStore(objectStore);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Removes a store with everything in it; tabs that have it open let go of it. */
export function deleteDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(storageError(request.error));
  });
}

/** Resolves when the transaction is durable, not merely when its requests succeeded. */
function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    // Listeners, not `on…` properties: idb-keyval sets those for itself.
    transaction.addEventListener("complete", () => resolve());
    transaction.addEventListener("abort", () =>
      reject(transaction.error ?? new DOMException("Transaction aborted", "AbortError")),
    );
  });
}

/** A store for idb-keyval's functions with `durability: "strict"` and quota errors as {@link WeftError}. */
export function strictStore(name: string): UseStore {
  let database: Promise<IDBDatabase> | undefined;
  return async (mode, callback) => {
    try {
      database ??= openDatabase(name);
      const opened = await database.catch((error: unknown) => {
        database = undefined;
        throw error;
      });
      opened.onversionchange = () => {
        opened.close();
        database = undefined;
      };
      const transaction = opened.transaction(objectStore, mode, { durability: "strict" });
      const done = committed(transaction);
      const [value] = await Promise.all([callback(transaction.objectStore(objectStore)), done]);
      return value;
    } catch (error) {
      throw storageError(error);
    }
  };
}
