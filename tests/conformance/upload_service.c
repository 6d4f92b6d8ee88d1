/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* upload_service.c - see upload_service.h. */
#include "upload_service.h"

#include "core/base/note.h"
#include "core/http/server.h"
#include "free_port.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* ---- the service ---- */

static void print_file(const struct http_file *f, struct builder *out)
{
    builder_string(out, "{\"part\":");
    builder_json_string(out, f->part);
    builder_string(out, ",\"name\":");
    builder_json_string(out, f->name);
    builder_string(out, ",\"type\":");
    builder_json_string(out, f->type);
    builder_printf(out, ",\"size\":%llu,\"hash\":\"%s\"}",
                   (unsigned long long)f->cids->size, f->cids->v1);
}

/* {"fields":{...},"files":[...],"body":"..."} */
static void print_form(struct http_request *r, struct builder *out)
{
    const struct http_file *f;
    struct text name, value;

    builder_string(out, "{\"fields\":{");
    for (size_t i = 0; http_form_field_at(r, i, &name, &value); i++) {
        if (i > 0) builder_char(out, ',');
        builder_json_string(out, name);
        builder_char(out, ':');
        builder_json_string(out, value);
    }
    builder_string(out, "},\"files\":[");
    for (size_t i = 0; (f = http_form_file_at(r, i)) != NULL; i++) {
        if (i > 0) builder_char(out, ',');
        print_file(f, out);
    }
    builder_string(out, "],\"body\":");
    builder_json_string(out, http_body(r));
    builder_char(out, '}');
}

static bool keep_all(struct http_request *r)
{
    const struct http_file *files[UPLOAD_FILES];
    size_t n = 0;

    while ((files[n] = http_form_file_at(r, n)) != NULL) n++;
    return http_files_keep(r, files, n, CID_V1);
}

static void form(struct http_request *r)
{
    struct builder out;
    struct text field, bytes;

    if (http_form_field(r, "read", &field) &&
        !http_file_read(r, http_form_file_at(r, 0), 10, &bytes))
        return;
    if (http_form_field(r, "keep", &field) && !keep_all(r)) return;
    builder_init(&out, 64 * 1024);
    print_form(r, &out);
    http_respond_json(r, 200, builder_view(&out));
    builder_fini(&out);
}

static void refuse(struct http_request *r, enum http_refusal why, int status,
                   struct text message)
{
    struct builder out;

    (void)why;
    builder_init(&out, 16 * 1024);
    builder_string(&out, "{\"error\":");
    builder_json_string(&out, message);
    builder_char(&out, '}');
    http_respond(r, status, "application/json", builder_view(&out));
    builder_fini(&out);
}

static void contents(struct http_request *r)
{
    struct text sniff;

    if (!http_respond_blob(r, http_path_parameter(r, "hash"),
                           http_query_parameter(r, "includeMimeType", &sniff)))
        refuse(r, HTTP_REFUSED_ROUTE, 404, TEXT("No content found"));
}

static const struct http_upload limits = {
    UPLOAD_TOTAL, UPLOAD_FILES, UPLOAD_FILE, UPLOAD_FIELDS, UPLOAD_FIELD,
};

static const struct http_route routes[] = {
    {.method = "POST", .path = "/form", .handle = form, .upload = &limits},
    {.method = "GET", .path = "/contents/:hash", .handle = contents},
    {0},
};

static const struct http_service service = {
    .name = "files", .title = "Files", .routes = routes, .refuse = refuse};

/* ---- its process ---- */

static struct settings *make_settings(const struct upload_server *s)
{
    struct settings *settings;
    struct ll_error err;
    char port[16];

    snprintf(port, sizeof(port), "%d", s->port);
    if (settings_load("/dev/null", &settings, &err) != LL_OK ||
        settings_set(settings, TEXT("http.port"), text_of(port), "test", &err) != LL_OK ||
        settings_set(settings, TEXT("blobs.folder"), text_of(s->folder), "test", &err) !=
            LL_OK ||
        settings_set(settings, TEXT("blobs.grace"), TEXT("0"), "test", &err) != LL_OK ||
        settings_set(settings, TEXT("blobs.reserve"), text_of(s->reserve), "test",
                     &err) != LL_OK) {
        printf("FAILED settings: %s\n", err.text);
        exit(1);
    }
    return settings;
}

static _Noreturn void serve(const struct upload_server *s)
{
    static const struct http_service *const services[] = {&service, NULL};
    struct settings *settings = make_settings(s);
    struct server_plan plan = {.settings = settings,
                               .services = services,
                               .metrics = metrics_new(1),
                               .workers = 1};
    struct ll_error err;
    ll_rc rc;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    note_setup("serve", NOTE_ERROR);
    rc = server_run(&plan, &err);
    if (rc != LL_OK) printf("FAILED server: %s\n", err.text);
    settings_free(settings);
    exit(rc != LL_OK);
}

static bool answers(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_up = s >= 0 && connect(s, (struct sockaddr *)&to, sizeof(to)) == 0;

    if (s >= 0) close(s);
    return is_up;
}

void upload_server_start(struct upload_server *s, const char *reserve)
{
    *s = (struct upload_server){.port = free_port(), .reserve = reserve};
    snprintf(s->folder, sizeof(s->folder), "/tmp/landlog-upload-XXXXXX");
    if (mkdtemp(s->folder) == NULL) {
        perror("FAILED mkdtemp");
        exit(1);
    }
    fflush(stdout);
    s->pid = fork();
    if (s->pid == 0) serve(s);
    for (int i = 0; i < 300 && !answers(s->port); i++) usleep(20000);
}

void upload_server_kill(struct upload_server *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

int upload_server_stop(struct upload_server *s)
{
    char command[128];
    int status = 0;

    if (s->pid > 0) {
        kill(s->pid, SIGTERM);
        waitpid(s->pid, &status, 0);
    }
    snprintf(command, sizeof(command), "rm -rf '%s'", s->folder);
    if (system(command) != 0) printf("  %s stays\n", s->folder);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- what it has ---- */

size_t upload_server_memory(const struct upload_server *s)
{
    char path[64], line[256];
    size_t kib = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", s->pid);
    if ((f = fopen(path, "re")) == NULL) return 0;
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0) kib = strtoul(line + 6, NULL, 10);
    fclose(f);
    return kib;
}

size_t upload_server_descriptors(const struct upload_server *s)
{
    char path[64];
    size_t n = 0;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%d/fd", s->pid);
    if ((d = opendir(path)) == NULL) return 0;
    while (readdir(d) != NULL) n++;
    closedir(d);
    return n;
}

static size_t count_files(const struct upload_server *s, const char *where)
{
    char command[256];
    size_t n = 0;
    FILE *out;

    snprintf(command, sizeof(command),
             "find '%s' -type f ! -name lock %s -path '*/drafts/*' | wc -l", s->folder,
             where);
    out = popen(command, "r");
    if (out == NULL || fscanf(out, "%zu", &n) != 1) printf("FAILED %s\n", command);
    if (out != NULL) pclose(out);
    return n;
}

size_t upload_server_blobs(const struct upload_server *s)
{
    return count_files(s, "!");
}

size_t upload_server_drafts(const struct upload_server *s)
{
    return count_files(s, "");
}

struct blob_store *upload_server_store(const struct upload_server *s)
{
    struct settings *settings = make_settings(s);
    struct blob_store *store = blob_store_new(settings);

    settings_free(settings);
    return store;
}
