/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* openapi.c - see openapi.h. */
#include "core/http/openapi.h"

#include <string.h>

static json_t *schema_of(const char *text)
{
    struct ll_error err;
    json_t *schema;

    LL_CHECK(json_parse(text_of(text), JSON_DEPTH, &schema, &err) == LL_OK);
    return schema;
}

/* "/v1/x/:name" as "/<prefix>/v1/x/{name}". */
static void print_path(const struct http_service *service, const struct http_route *route,
                       struct builder *out)
{
    struct text rest = text_of(route->path), segment;

    if (service->name[0] != '\0' && !route->is_absolute)
        builder_printf(out, "/%s", service->name);
    if (strcmp(route->path, "/") == 0) builder_string(out, "/");
    while (rest.len > 0) {
        text_cut(&rest, '/', &segment);
        if (segment.len == 0) continue;
        if (segment.ptr[0] == ':')
            builder_printf(out, "/{%.*s}", (int)segment.len - 1, segment.ptr + 1);
        else
            builder_printf(out, "/%.*s", TEXT_ARGS(segment));
    }
}

static void add_parameter(json_t *list, const char *name, const char *in, bool required,
                          const char *schema, const char *summary)
{
    json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", name, "in",
                                          in, "required", required, "description",
                                          summary, "schema", schema_of(schema)));
}

static json_t *parameters_of(const struct http_route *route)
{
    json_t *list = json_array();
    struct text rest = text_of(route->path), segment;

    while (rest.len > 0) {
        char name[64];

        text_cut(&rest, '/', &segment);
        if (segment.len < 2 || segment.ptr[0] != ':' || segment.len > sizeof(name))
            continue;
        memcpy(name, segment.ptr + 1, segment.len - 1);
        name[segment.len - 1] = '\0';
        add_parameter(list, name, "path", true, "{\"type\":\"string\"}", name);
    }
    for (const struct http_parameter *p = route->parameters; p != NULL && p->name != NULL;
         p++)
        add_parameter(list, p->name, "query", p->required, p->schema, p->summary);
    return list;
}

static json_t *content_of(const char *schema)
{
    return json_pack("{s:{s:o}}", "application/json", "schema", schema_of(schema));
}

static json_t *operation_of(const struct http_service *service,
                            const struct http_route *route)
{
    json_t *ok = json_pack("{s:s}", "description", "success");
    json_t *operation = json_pack("{s:s, s:[s], s:o, s:{s:o}}", "summary", route->summary,
                                  "tags", service->title, "parameters",
                                  parameters_of(route), "responses", "200", ok);

    if (route->response_schema != NULL)
        json_object_set_new(ok, "content", content_of(route->response_schema));
    if (route->request_schema != NULL)
        json_object_set_new(operation, "requestBody",
                            json_pack("{s:b, s:o}", "required", 1, "content",
                                      content_of(route->request_schema)));
    if (route->auth == HTTP_SIGNED)
        json_object_set_new(operation, "security", json_pack("[{s:[]}]", "signedFetch"));
    if (route->auth == HTTP_SIGNED_OPTIONAL)
        json_object_set_new(operation, "security",
                            json_pack("[{s:[]}, {}]", "signedFetch"));
    return operation;
}

static void add_operation(json_t *paths, const struct http_service *service,
                          const struct http_route *route)
{
    struct builder path;
    char method[16];
    json_t *item;
    size_t i;

    builder_init(&path, 1024);
    print_path(service, route, &path);
    item = json_object_get(paths, builder_view(&path).ptr);
    if (item == NULL) {
        item = json_object();
        json_object_set_new(paths, builder_view(&path).ptr, item);
    }
    for (i = 0; route->method[i] != '\0' && i < sizeof(method) - 1; i++)
        method[i] = (char)(route->method[i] - 'A' + 'a');
    method[i] = '\0';
    json_object_set_new(item, method, operation_of(service, route));
    builder_fini(&path);
}

void openapi_print(const struct router *router, const struct http_service *only,
                   struct builder *out)
{
    json_t *paths = json_object(), *document;
    const struct http_service *service;
    const struct http_route *route;

    for (size_t i = 0; router_at(router, i, &service, &route); i++)
        if (only == NULL || only == service) add_operation(paths, service, route);
    document = json_pack(
        "{s:s, s:{s:s, s:s}, s:o, s:{s:{s:{s:s, s:s, s:s, s:s}}}}", "openapi", "3.1.0",
        "info", "title", only != NULL ? only->title : "Landlog", "version",
        LANDLOG_VERSION, "paths", paths, "components", "securitySchemes", "signedFetch",
        "type", "apiKey", "in", "header", "name", "x-identity-auth-chain-0",
        "description",
        "Signed fetch (ADR-44): x-identity-auth-chain-0 to -N, x-identity-timestamp, "
        "x-identity-metadata");
    LL_CHECK(document != NULL);
    json_write(document, out);
    json_decref(document);
}
